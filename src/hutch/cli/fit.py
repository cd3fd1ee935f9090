"""`hutch fit`: scaling laws on any table of runs."""

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

from hutch.cli.numbers import numbers

EXAMPLE = "example: hutch fit runs.csv --approach parametric --at 1e22 --report fit.html"


def add_commands(rooms: Any) -> None:
    """Add the command to the command line."""
    fit = rooms.add_parser(
        "fit",
        help="scaling laws on any table of runs",
        description="Fit the compute-optimal laws of Hoffmann et al. 2022 to a table of runs (CSV, Parquet, or "
        "a study's folder), with intervals.",
        epilog=EXAMPLE,
    )
    fit.add_argument("table", type=Path, metavar="TABLE", help="a .csv, .tsv or .parquet file, or a study's folder")
    fit.add_argument(
        "--approach", default="all", choices=("all", "envelope", "isoflop", "parametric"), help="default: all"
    )
    fit.add_argument("--at", type=numbers, default=(), metavar="C,C,...", help="print the optimum at these FLOPs")
    fit.add_argument("--holdout-above", type=float, metavar="C", help="fit below C FLOP, predict from there on")
    _add_table(fit)
    _add_intervals(fit)
    _add_approaches(fit)
    _add_output(fit)
    fit.set_defaults(call=run_fit)


def _add_table(fit: argparse.ArgumentParser) -> None:
    group = fit.add_argument_group("reading the table (columns of common spellings are found by themselves)")
    for role, what in (
        ("parameters", "parameters N"),
        ("tokens", "training tokens D"),
        ("flops", "training FLOPs C"),
        ("loss", "final loss, nats per token"),
        ("budget", "FLOPs of the isoFLOP profile"),
        ("run", "name of the run"),
    ):
        group.add_argument(f"--{role}", metavar="COLUMN", help=f"column of {what}")
    group.add_argument("--derive", choices=("parameters", "tokens", "flops"), help="from the two others, by C = 6ND")
    group.add_argument("--flops-per-nd", type=float, metavar="K", help="C = K·N·D, where it is not about 6")
    group.add_argument(
        "--where", action="append", default=[], metavar="TEST", help="only rows such as 'epochs<=1' (repeatable)"
    )
    group.add_argument("--drop-invalid", action="store_true", help="leave out rows that cannot be used, and say which")
    group.add_argument("--drop-top-loss", type=int, default=0, metavar="K", help="leave out the K highest losses")
    group.add_argument("--curves", action="store_true", help="several rows a run: points of its training curve")


def _add_intervals(fit: argparse.ArgumentParser) -> None:
    group = fit.add_argument_group("intervals")
    group.add_argument("--bootstrap", type=int, default=1000, metavar="B", help="resamples (default: 1000)")
    group.add_argument("--level", type=float, default=0.8, help="share that an interval holds (default: 0.8)")
    group.add_argument("--seed", type=int, default=0, help="of the resamples (default: 0)")
    group.add_argument("--pairs", action="store_true", help="draw runs with replacement (default: smooth weights)")
    group.add_argument(
        "--subsample", type=float, metavar="SHARE", help="parametric: draw SHARE of the runs (Hoffmann: 0.8)"
    )


def _add_approaches(fit: argparse.ArgumentParser) -> None:
    three = fit.add_argument_group("approach 3, parametric")
    three.add_argument("--delta", type=float, default=1e-3, help="where the Huber loss turns linear (default: 1e-3)")
    three.add_argument("--raw", action="store_true", help="residuals of the loss, not of its logarithm")
    three.add_argument("--least-squares", action="store_true", help="squared residuals of the loss")
    three.add_argument("--tied", action="store_true", help="hold alpha = beta")
    three.add_argument("--fix-e", type=float, metavar="E", help="hold the irreducible loss")
    three.add_argument("--prior-e", type=_prior, metavar="MEAN,SD", help="what is known of E, as mean and deviation")
    two = fit.add_argument_group("approach 2, isoFLOP profiles")
    two.add_argument("--method", default="parabola", choices=("parabola", "akima"), help="how a minimum is found")
    two.add_argument("--within", type=float, metavar="F", help="only runs within a factor F of a profile's minimum")
    two.add_argument("--minimum-budgets", type=int, default=4, metavar="K", help="usable budgets needed (default: 4)")
    one = fit.add_argument_group("approach 1, envelope of training curves")
    one.add_argument("--window", type=float, default=10.0, help="smoothing, in points of the curve (default: 10)")
    one.add_argument("--keep-edges", action="store_true", help="keep points won by the smallest or largest size")
    one.add_argument("--last-part", type=float, default=1.0, metavar="SHARE", help="only points late in their run")


def _add_output(fit: argparse.ArgumentParser) -> None:
    group = fit.add_argument_group("output")
    group.add_argument("--json", action="store_true", help="one JSON document on stdout")
    group.add_argument("--report", type=Path, metavar="FILE.html", help="write a page of pictures")
    group.add_argument("--pictures", type=Path, metavar="DIR", help="write each picture as PNG and SVG")
    group.add_argument("--save", type=Path, metavar="FILE.json", help="keep one approach's law for hutch plan --law")


def _prior(text: str) -> tuple[float, float]:
    pair = numbers(text)
    if len(pair) != 2:
        raise argparse.ArgumentTypeError(f"{text!r} is not a mean and a deviation such as 1.7,0.05")
    return pair[0], pair[1]


def request_of(options: argparse.Namespace) -> Any:
    """The `FitRequest` that the flags ask for."""
    from hutch.scaling.fits.request import APPROACHES, FitRequest
    from hutch.scaling.fits.restriction import FloorPrior

    return FitRequest(
        approaches=APPROACHES if options.approach == "all" else (options.approach,),
        bootstraps=options.bootstrap,
        level=options.level,
        seed=options.seed,
        pairs=options.pairs,
        drop_top_loss=options.drop_top_loss,
        residuals="raw" if options.raw or options.least_squares else "log",
        delta=math.inf if options.least_squares else options.delta,
        tied=options.tied,
        floor=options.fix_e,
        floor_prior=FloorPrior(*options.prior_e) if options.prior_e else None,
        subsample=options.subsample,
        method=options.method,
        within=options.within,
        minimum_budgets=options.minimum_budgets,
        window=options.window,
        keep_edges=options.keep_edges,
        last_part=options.last_part,
        holdout_above=options.holdout_above,
        at=options.at,
    )


def run_fit(options: argparse.Namespace) -> None:
    """Read the table, fit, and print, draw or save what came out."""
    from hutch.runs.errors import BadInput
    from hutch.scaling.fits.document import fit_document
    from hutch.scaling.fits.request import fit_table
    from hutch.scaling.tables import read_runs

    request = request_of(options)
    _check_outputs(options)
    roles = ("parameters", "tokens", "flops", "loss", "budget", "run")
    reading = read_runs(
        options.table,
        columns={role: getattr(options, role) for role in roles if getattr(options, role) is not None},
        where=options.where,
        drop_invalid=options.drop_invalid,
        flops_per_nd=options.flops_per_nd,
        derive=options.derive,
        curves=options.curves or options.approach == "envelope",
    )
    fitted = fit_table(reading.runs, request)
    if not fitted.lawful:
        raise BadInput(f"{options.table}: no law: " + "; ".join(f"{k}: {why}" for k, why in fitted.reasons.items()))
    if options.save and len(fitted.lawful) > 1:
        raise BadInput(f"--save keeps one law, and {', '.join(fitted.lawful)} gave one each: choose by --approach")
    document = fit_document(
        fitted,
        request,
        reading.as_dict(),
        title=options.table.name or str(options.table),
        command=options.typed,
        drawing=bool(options.report or options.pictures),
    )
    _write(options, fitted, document)
    _print(options, document)


def _check_outputs(options: argparse.Namespace) -> None:
    """Nothing is fitted that could not be kept, and nothing that is read is written over."""
    from hutch.cli.outputs import check_folder, check_output
    from hutch.runs.errors import BadInput

    taken = {options.table.resolve(): "the table"}
    for flag, path in (("--save", options.save), ("--report", options.report)):
        if path is None:
            continue
        check_output(path, flag)
        if path.resolve() in taken:
            raise BadInput(f"{flag} {path} is {taken[path.resolve()]} itself")
        taken[path.resolve()] = f"the file of {flag}"
    if options.pictures is not None:
        check_folder(options.pictures, "--pictures")


def _write(options: argparse.Namespace, fitted: Any, document: dict[str, Any]) -> None:
    """The files that were asked for."""
    if options.save:
        from hutch.scaling.fits.saved import save_fit

        (fit,) = fitted.lawful.values()
        save_fit(fit, options.save)
        print(f"law: {options.save}", file=sys.stderr)
    if options.report:
        from hutch.reports.scaling.fit_page import fit_page
        from hutch.runs.atomic import write_text

        write_text(options.report, fit_page(document))
        print(f"page: {options.report}", file=sys.stderr)
    if options.pictures:
        from hutch.reports.scaling.static import save_pictures

        for path in save_pictures(document, options.pictures):
            print(f"picture: {path}", file=sys.stderr)


def _print(options: argparse.Namespace, document: dict[str, Any]) -> None:
    if options.json:
        print(
            json.dumps({name: part for name, part in document.items() if name != "drawing"}, indent=1, allow_nan=False)
        )
        for warning in (*document["table"]["notes"], *document["warnings"]):
            print(f"hutch: note: {warning}", file=sys.stderr)
        return
    from hutch.cli.show import show
    from hutch.reports.scaling.fit_terminal import fit_terminal

    show(fit_terminal(document))
