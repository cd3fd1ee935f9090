"""`hutch plan`: from one target to a training run that can be started."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from hutch.cli.numbers import positive


def add_commands(rooms: Any) -> None:
    """Add the command to the command line."""
    plan = rooms.add_parser(
        "plan",
        help="how large a model, how many tokens, which shape, how long and how much, for one target",
        description="From any one target to a training run: size, tokens, loss, shape, time, money, alternatives.",
        epilog="example: hutch plan --gpu-hours 1e6 --device h100 --mfu 0.3:0.5 --report plan.html; "
        "numbers may end in k, M, B or T: --parameters 70B",
    )
    _add_targets(plan)
    _add_laws(plan)
    _add_devices(plan)
    _add_model(plan)
    plan.add_argument("--report", type=Path, metavar="FILE.html", help="also write the plan as a page")
    plan.add_argument("--json", action="store_true", help="one JSON document on stdout")
    plan.set_defaults(call=make_plan)


def _add_targets(plan: argparse.ArgumentParser) -> None:
    group = plan.add_argument_group("the target, exactly one").add_mutually_exclusive_group(required=True)
    group.add_argument("--flops", type=positive, metavar="C", help="training FLOP, as the law counts them (6·N·D)")
    group.add_argument("--gpu-hours", type=positive, metavar="H", help="hours of one device, all devices together")
    group.add_argument("--dollars", type=positive, metavar="X", help="money for the devices")
    group.add_argument("--tokens", type=positive, metavar="D", help="tokens at hand")
    group.add_argument("--parameters", type=positive, metavar="N", help="size of the model")
    group.add_argument("--loss", type=positive, metavar="L", help="loss to reach, nats per token")


def _add_laws(plan: argparse.ArgumentParser) -> None:
    group = plan.add_argument_group("the law")
    group.add_argument(
        "--law",
        metavar="KEY|FILE",
        help="hoffmann-1, hoffmann-2, hoffmann-3, besiroglu, kaplan, llama3, or a file that hutch fit --save wrote "
        "(default: besiroglu, whose loss law and allocation agree)",
    )
    group.add_argument(
        "--loss-law",
        metavar="KEY|FILE",
        help="hoffmann-3, besiroglu, muennighoff, kaplan, or the file of a parametric fit (default: the law's own)",
    )
    group.add_argument(
        "--inference-tokens", type=positive, metavar="T", help="tokens to be served over the model's life"
    )
    group.add_argument("--unique-tokens", type=positive, metavar="U", help="unique tokens at hand, where they are few")


def _add_devices(plan: argparse.ArgumentParser) -> None:
    group = plan.add_argument_group("the devices")
    group.add_argument("--device", metavar="NAME", help="h100, a100-80gb, h200, tpu-v5p, ... (default: h100)")
    group.add_argument("--devices", type=int, metavar="COUNT", help="how many of them")
    group.add_argument("--mfu", type=_share, metavar="SHARE|LOW:HIGH", help="share of the peak (default: 0.4)")
    group.add_argument("--price", type=positive, metavar="DOLLARS", help="for an hour of one device")
    group.add_argument("--precision", choices=("mixed", "float32"), default="mixed", help="of weights and states")


def _add_model(plan: argparse.ArgumentParser) -> None:
    group = plan.add_argument_group("the model")
    group.add_argument("--vocabulary", type=int, default=32_000, help="rows of the embedding (default: %(default)s)")
    group.add_argument("--context", type=int, default=2048, help="tokens in a sequence (default: %(default)s)")
    group.add_argument("--positions", choices=("rotary", "relative"), default="rotary", help="(default: %(default)s)")


def _share(text: str) -> tuple[float, float]:
    try:
        ends = [float(part) for part in text.split(":")]
    except ValueError:
        ends = []
    if len(ends) not in (1, 2) or not 0 < ends[0] <= ends[-1] <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share of the peak such as 0.4, or a range such as 0.3:0.5")
    return ends[0], ends[-1]


def make_plan(options: argparse.Namespace) -> None:
    """Plan, print, and say on stderr what to beware of."""
    import dataclasses

    from hutch.cli.outputs import check_output
    from hutch.scaling.plans import PlanRequest, plan

    if options.report is not None:
        check_output(options.report, "--report")
    names = [field.name for field in dataclasses.fields(PlanRequest)]
    document = plan(PlanRequest(**{name: getattr(options, name) for name in names})).as_dict()
    page = None
    if options.report is not None:
        from hutch.reports.scaling.plan_page import render_plan

        page = render_plan(document, options.report)
    if options.json:
        print(json.dumps(document, indent=1, allow_nan=False))
        if page is not None:
            print(f"page: {page}", file=sys.stderr)
    else:
        _show(document, page)
    sys.stdout.flush()
    for warning in document["warnings"]:
        print(f"hutch plan: warning: {warning['message']}", file=sys.stderr)


def _show(document: dict[str, Any], page: Path | None) -> None:
    from hutch.cli.show import show
    from hutch.reports.scaling.plan_terminal import plan_summary

    show(plan_summary(document, page))
