"""A talk with a model in the terminal, or through a pipe."""

import io
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hutch.cli.stream import say

if TYPE_CHECKING:
    from hutch.lm.chat import Chat
    from hutch.lm.language_model import Sampling


def talk_to(chat: "Chat", sampling: "Sampling", *, quiet: bool = False) -> None:
    """Take turns until the input ends. In a terminal the turns are labelled; in a pipe only the replies are written.

    `quiet` writes nothing but the question in a terminal.
    """
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if terminal:
        print(f"{chat.model.name}: Ctrl-C stops a reply, Ctrl-D ends the talk", file=sys.stderr)
    for turn in turns(terminal):
        if not quiet:
            say("Model: " if terminal else "")
        chat.reply(turn, sampling, (lambda text: None) if quiet else say)
        if not quiet:
            say("\n\n" if terminal else "\n")


def turns(terminal: bool) -> Iterator[str]:
    """What the user says, a line a turn; empty lines are none."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    for line in _asked() if terminal else sys.stdin:
        if line.strip():
            yield line.strip()


def _asked() -> Iterator[str]:
    """Lines that are typed with the line editor; Ctrl-C takes back what is typed."""
    import readline  # noqa: F401  input() edits lines and remembers them once it is imported

    while True:
        try:
            yield input("You: ")
        except EOFError:
            print()
            return
        except KeyboardInterrupt:
            print()
