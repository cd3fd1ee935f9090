"""`hutch forecast`: when the training compute for a transformative model could be afforded."""

import argparse
import dataclasses
import json
import math
import sys
from pathlib import Path
from typing import Any

from hutch.cli.numbers import number

PRESETS = ("aggressive", "best-guess", "conservative")
RULES = ("by-requirement", "fixed")


def add_commands(rooms: Any) -> None:
    """Add the command to the command line."""
    command = rooms.add_parser(
        "forecast",
        help="when the compute for transformative models could be afforded",
        description="The biological anchors model of Cotra 2020: for each year, the probability that the training "
        "compute of a transformative model can be afforded, as published and with the data exponent updated.",
        epilog="example: hutch forecast --data-exponent 1.0 --reanchor 20 --report forecast.html",
    )
    _add_scaling(command)
    _add_model(command)
    command.add_argument("--until", type=int, metavar="YEAR", help="the last year (default: 2100)")
    command.add_argument("--draws", type=int, help="Monte Carlo draws of each anchor (default: 200000)")
    command.add_argument("--seed", type=int, help="of the draws (default: 0)")
    command.add_argument("--report", type=Path, metavar="FILE.html", help="write a page with figures")
    command.add_argument("--json", action="store_true", help="one JSON document on stdout")
    command.set_defaults(call=show_forecast)


def _add_scaling(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("the update")
    group.add_argument(
        "--data-exponent",
        type=number,
        metavar="X",
        help="data grow as parameters^X; moves the mean from 0.8 and keeps the width (default: 1.0)",
    )
    group.add_argument(
        "--data-exponent-interval",
        type=number,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="its 90%% interval instead, such as 0.5 1.5",
    )
    group.add_argument(
        "--reanchor",
        type=number,
        nargs="?",
        const=20.0,
        metavar="TOKENS_PER_PARAMETER",
        help="move the data law as well, from about 1700 P^0.8 to that many tokens a parameter (20 if none is given)",
    )


def _add_model(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("the model")
    group.add_argument("--preset", choices=PRESETS, default="best-guess", help="where the numbers begin")
    group.add_argument(
        "--algorithms", choices=RULES, help="pace and cap of algorithms: by requirement (default), or fixed an anchor"
    )
    group.add_argument(
        "--weights",
        type=_weights,
        metavar="NAME=P,...",
        help="weights of lifetime, short, genome, medium, long, evolution, none; unnamed ones stay; the sum must be 1",
    )
    group.add_argument("--spend-doubling", type=number, metavar="YEARS", help="in which spending doubles")
    group.add_argument("--hardware-doubling", type=number, metavar="YEARS", help="in which FLOP per dollar double")


def _weights(text: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise argparse.ArgumentTypeError(f"{part!r} is not a weight such as short=0.2")
        if name in weights:
            raise argparse.ArgumentTypeError(f"{name} is given two weights")
        weights[name] = number(value)
    return weights


def show_forecast(options: argparse.Namespace) -> None:
    """Make the forecast, print it, write its page."""
    from rich.console import Console

    from hutch.cli.outputs import check_output
    from hutch.scaling.forecasts.document import document

    if options.report is not None:
        check_output(options.report, "--report")
    config = _config(options)
    exponent = _exponent(config, options)
    with Console(stderr=True).status(f"{config.draws:,} draws of each of {len(config.anchors)} anchors"):
        made = document(config, exponent=exponent, tokens_per_parameter=options.reanchor)
    made["command"] = options.typed
    page = None
    if options.report is not None:
        from hutch.reports.scaling.forecast_page import write_page

        page = write_page(made, options.report)
    if options.json:
        print(json.dumps(made, indent=1, sort_keys=True, allow_nan=False))
        if page:
            print(f"page: {page}", file=sys.stderr)
        return
    from hutch.cli.show import show
    from hutch.reports.scaling.forecast_terminal import forecast_summary

    show(forecast_summary(made, page))


def _config(options: argparse.Namespace) -> Any:
    """The preset with what was asked for instead."""
    from hutch.scaling.forecasts.configuration import preset

    config = preset(options.preset)
    if options.weights:
        config = config.reweighted(options.weights)
    parts = (
        ("algorithms", "rule", options.algorithms),
        ("spending", "doubling", options.spend_doubling),
        ("hardware", "doubling", options.hardware_doubling),
    )
    for name, field, value in parts:
        if value is not None:
            config = dataclasses.replace(config, **{name: dataclasses.replace(getattr(config, name), **{field: value})})
    given = {name: getattr(options, name) for name in ("until", "draws", "seed")}
    return dataclasses.replace(config, **{name: value for name, value in given.items() if value is not None})


def _exponent(config: Any, options: argparse.Namespace) -> Any:
    """The updated data exponent, None for the usual update."""
    from hutch.runs.errors import BadInput
    from hutch.scaling.forecasts.distributions import Normal, normal_90

    mean, ends = options.data_exponent, options.data_exponent_interval
    if mean is not None and mean < 0:
        raise BadInput(f"--data-exponent {mean:g} is negative; data that grow with the model need a number from 0")
    if ends is None:
        return None if mean is None else Normal(mean, config.data.exponent.sd)
    exponent = normal_90(*ends)
    if exponent.mean < 0:
        raise BadInput(f"--data-exponent-interval {ends[0]:g} {ends[1]:g} is negative in its middle; it must not be")
    if mean is not None and not math.isclose(mean, exponent.mean, abs_tol=1e-9):
        raise BadInput(
            f"--data-exponent {mean:g} is not the middle of --data-exponent-interval {ends[0]:g} {ends[1]:g}, "
            f"which is {exponent.mean:g}; give one of them"
        )
    return exponent
