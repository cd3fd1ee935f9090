"""`hutch study list` and `hutch study run`.

A study is a package with three modules: `configuration` (a frozen dataclass and its `preset(scale)`), `estimate`
(`estimate(config, workers)` and `estimate_lines(plan)`) and `study` (`run_study(config, session)`). What may differ
from the preset are the fields of its configuration that have a flag below.
"""

import argparse
import dataclasses
import json
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from hutch.cli.numbers import number, numbers


@dataclass(frozen=True)
class Listed:
    """A study on the list."""

    question: str
    package: str


STUDIES = {
    "compute-optimal": Listed(
        "how large should a language model be, and how much should it read, for a budget?",
        "hutch.studies.compute_optimal",
    ),
    "retrieval": Listed(
        "at equal FLOPs, is retrieval worth more than parameters or tokens, and how much of its gain is copying?",
        "hutch.studies.retrieval",
    ),
}


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
    """What may differ from the scale's preset; each flag is a field of a study's configuration."""
    group = run.add_argument_group("instead of the scale's own")
    overrides = [
        group.add_argument("--source", metavar="TEXT", help="corpus: embedded, a file or folder of text, or hf:NAME"),
        group.add_argument("--subsets", type=_names, metavar="A,B", help="only these subsets of it"),
        group.add_argument("--train-tokens", type=_whole, metavar="D", help="tokens of it to prepare"),
        group.add_argument("--vocabulary", type=int, help="tokens of the byte-level BPE"),
        group.add_argument("--context", type=int, help="tokens that a model sees"),
        group.add_argument("--budgets", type=numbers, metavar="C,C,...", help="FLOPs of each budget that is compared"),
        group.add_argument("--holdout-budget", type=number, metavar="C", help="FLOPs of the held-out budget"),
        group.add_argument("--sizes", type=int, help="models in a profile (compute-optimal)"),
        group.add_argument("--span", type=number, help="largest over smallest model in a profile (compute-optimal)"),
        group.add_argument("--positions", choices=("rotary", "relative"), help="relative as in Gopher (slower)"),
        group.add_argument("--widths", type=_wholes, metavar="W,W,...", help="widths of the models (retrieval)"),
        group.add_argument("--retriever", choices=("dense", "reranked"), help="how neighbours are ranked (retrieval)"),
        group.add_argument("--embedder", metavar="NAME", help="static, minilm, or a model's folder (retrieval)"),
        group.add_argument("--replicates", type=int, help="further seeds of the smallest models (retrieval)"),
        group.add_argument("--max-epochs", type=number, help="passes over the corpus that no run may exceed"),
        group.add_argument("--seed", type=int, help="weights, order of the data, resamples"),
    ]
    run.set_defaults(overrides={action.dest: action.option_strings[0] for action in overrides})


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _whole(text: str) -> int:
    value = number(text)
    if value != int(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(value)


def _wholes(text: str) -> tuple[int, ...]:
    return tuple(_whole(part) for part in _names(text))


def list_studies(options: argparse.Namespace) -> None:
    """Print the studies."""
    if options.json:
        print(json.dumps({name: study.question for name, study in STUDIES.items()}, indent=1))
        return
    width = max(map(len, STUDIES))
    for name, study in STUDIES.items():
        print(f"{name:<{width}}  {study.question}")


def run_study(options: argparse.Namespace) -> None:
    """Run a study in its folder, write its page, print its summary."""
    from hutch.runs.errors import BadInput

    if options.name not in STUDIES:
        raise BadInput(f"there is no study {options.name!r}: choose one of {', '.join(STUDIES)}")
    from hutch.runs.machine import usable_cores

    config = _configured(options)
    workers = usable_cores() if options.workers is None else options.workers
    if workers < 1:
        raise BadInput(f"--workers must be at least 1, not {workers}")
    if options.dry_run:
        _dry_run(options.name, config, workers, options.json)
        return
    folder = options.out or Path("out") / f"{options.name}-{options.scale}"
    _run(config, folder, workers, options)


def _module(name: str, module: str) -> Any:
    return import_module(f"{STUDIES[name].package}.{module}")


def _configured(options: argparse.Namespace) -> Any:
    """The scale's preset with what was asked for instead; `BadInput` names a flag that the study does not have."""
    from hutch.runs.errors import BadInput

    config = _module(options.name, "configuration").preset(options.scale)
    fields = {field.name for field in dataclasses.fields(config)}
    chosen = {name: value for name in options.overrides if (value := getattr(options, name)) is not None}
    for name in chosen:
        if name not in fields:
            known = ", ".join(flag for field, flag in options.overrides.items() if field in fields)
            raise BadInput(f"the study {options.name} has no {options.overrides[name]}; it has {known}")
    if "source" in chosen:
        # The preset's subsets are those of its own corpus.
        chosen.setdefault("subsets", None)
    return dataclasses.replace(config, **chosen)


def _dry_run(name: str, config: Any, workers: int, as_json: bool) -> None:
    estimate = _module(name, "estimate")
    plan = estimate.estimate(config, workers)
    print(json.dumps(plan, indent=1) if as_json else "\n".join(estimate.estimate_lines(plan)))


def _run(config: Any, folder: Path, workers: int, options: argparse.Namespace) -> None:
    from hutch.reports import LiveView, render_page, study_summary
    from hutch.studies.session import Session

    study = _module(options.name, "study")
    with LiveView() as view:
        session = Session(
            folder=folder,
            workers=workers,
            command=options.typed,
            on_snapshot=view.update,
            on_message=view.message,
        )
        document = study.run_study(config, session)
        view.message("drawing the page")
        page = render_page(folder)
    if options.json:
        print(json.dumps(document, indent=1, sort_keys=True))
        print(f"page: {page}", file=sys.stderr)
    else:
        from hutch.cli.show import show

        show(study_summary(document, page))
