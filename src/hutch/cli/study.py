"""`hutch study list` and `hutch study run`."""

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from hutch.cli.numbers import number, numbers

STUDIES = {"compute-optimal": "how large should a language model be, and how much should it read, for a budget?"}


def add_commands(rooms: Any) -> None:
    """Add `study` and its verbs to the command line."""
    room = rooms.add_parser("study", help="list the studies, run one", epilog="example: hutch study list")
    verbs = room.add_subparsers(dest="verb", required=True, metavar="VERB")
    listed = verbs.add_parser("list", help="the studies and their questions", epilog="example: hutch study list")
    listed.add_argument("--json", action="store_true", help="one JSON document on stdout")
    listed.set_defaults(call=list_studies)
    run = verbs.add_parser(
        "run",
        help="run a study; the same command again goes on where it stopped",
        epilog="example: hutch study run compute-optimal --scale quick --out demo",
    )
    _add_session(run)
    _add_overrides(run)
    run.set_defaults(call=run_study)


def _add_session(run: argparse.ArgumentParser) -> None:
    run.add_argument("name", metavar="NAME", help=f"one of: {', '.join(STUDIES)}")
    run.add_argument("--scale", default="quick", help="smoke (60 s on two cores), quick (about 7 minutes), hour, day")
    run.add_argument("--out", type=Path, help="the study's folder (default: out/NAME-SCALE)")
    run.add_argument("--workers", type=int, help="processes side by side (default: one for each core)")
    run.add_argument("--dry-run", action="store_true", help="print runs, FLOPs and expected minutes; train nothing")
    run.add_argument("--json", action="store_true", help="one JSON document on stdout")


def _add_overrides(run: argparse.ArgumentParser) -> None:
    """What may differ from the scale's preset."""
    group = run.add_argument_group("instead of the scale's own")
    group.add_argument("--source", metavar="TEXT", help="corpus: embedded, a file or folder of text, or hf:NAME")
    group.add_argument("--subsets", type=_names, metavar="A,B", help="only these subsets of it")
    group.add_argument("--vocabulary", type=int, help="tokens of the byte-level BPE")
    group.add_argument("--context", type=int, help="tokens that a model sees")
    group.add_argument("--budgets", type=numbers, metavar="C,C,...", help="FLOPs of each isoFLOP profile")
    group.add_argument("--holdout-budget", type=number, metavar="C", help="FLOPs of the held-out budget")
    group.add_argument("--sizes", type=int, help="models in a profile")
    group.add_argument("--span", type=number, help="largest over smallest model in a profile")
    group.add_argument("--positions", choices=("rotary", "relative"), help="relative as in Gopher (slower)")
    group.add_argument("--max-epochs", type=number, help="passes over the corpus that no run may exceed")
    group.add_argument("--seed", type=int, help="weights, order of the data, resamples")


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def list_studies(options: argparse.Namespace) -> None:
    """Print the studies."""
    if options.json:
        print(json.dumps(STUDIES, indent=1))
        return
    for name, question in STUDIES.items():
        print(f"{name}  {question}")


def run_study(options: argparse.Namespace) -> None:
    """Run a study in its folder, write its page, print its summary."""
    from hutch.runs import BadInput

    if options.name not in STUDIES:
        raise BadInput(f"there is no study {options.name!r}: choose one of {', '.join(STUDIES)}")
    from hutch.runs.machine import usable_cores
    from hutch.studies.compute_optimal.configuration import ComputeOptimalConfig, preset

    names = [f.name for f in dataclasses.fields(ComputeOptimalConfig) if getattr(options, f.name, None) is not None]
    chosen = {name: getattr(options, name) for name in names if name != "scale"}
    if "source" in chosen:
        # The preset's subsets are those of its own corpus.
        chosen.setdefault("subsets", None)
    config = dataclasses.replace(preset(options.scale), **chosen)
    workers = usable_cores() if options.workers is None else options.workers
    if workers < 1:
        raise BadInput(f"--workers must be at least 1, not {workers}")
    if options.dry_run:
        _dry_run(config, workers, options.json)
        return
    folder = options.out or Path("out") / f"{options.name}-{options.scale}"
    _run(config, folder, workers, options)


def _dry_run(config: Any, workers: int, as_json: bool) -> None:
    from hutch.studies.compute_optimal.estimate import estimate, estimate_lines

    plan = estimate(config, workers)
    print(json.dumps(plan, indent=1) if as_json else "\n".join(estimate_lines(plan)))


def _run(config: Any, folder: Path, workers: int, options: argparse.Namespace) -> None:
    from hutch.reports import LiveView, render_page, study_summary
    from hutch.studies.compute_optimal.study import Session, run_study

    with LiveView() as view:
        session = Session(
            folder=folder,
            workers=workers,
            command=options.typed,
            on_snapshot=view.update,
            on_message=view.message,
        )
        document = run_study(config, session)
        view.message("drawing the page")
        page = render_page(folder)
    if options.json:
        print(json.dumps(document, indent=1, sort_keys=True))
        print(f"page: {page}", file=sys.stderr)
    else:
        from hutch.cli.show import show

        show(study_summary(document, page))
