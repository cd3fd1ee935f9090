"""`hutch`: the entry point. Exit codes: 0 done, 1 the work failed, 2 bad input, 130 interrupted."""

import argparse
import io
import os
import shlex
import sys
from collections.abc import Sequence
from typing import NoReturn

from hutch import __version__
from hutch.cli import culture, db, fit, forecast, lm, plan, report, retro, study


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: {message} (see {self.prog} --help)", file=sys.stderr)
        raise SystemExit(2)


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = Parser(
        prog="hutch",
        description="At equal compute, where should capability come from?",
        epilog="example: hutch study run compute-optimal --scale smoke --out demo",
    )
    top.add_argument("--version", action="version", version=f"hutch {__version__}")
    rooms = top.add_subparsers(dest="room", required=True, metavar="COMMAND", parser_class=Parser)
    for room in (study, report, fit, plan, forecast, lm, db, retro, culture):
        room.add_commands(rooms)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = parser().parse_args(given)
    from hutch.runs.errors import HutchError

    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets a question mark, not a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        options.typed = shlex.join(["hutch", *given]).encode("utf-8", "replace").decode()
        code = options.call(options) or 0
        sys.stdout.flush()
        return code
    except HutchError as error:
        print(f"hutch: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("hutch: interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output has gone; what Python still wants to flush goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"hutch: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
