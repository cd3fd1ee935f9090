"""A plan in words and rows, the same for the terminal and the page: only what the document says."""

from collections.abc import Callable, Mapping
from typing import Any

from hutch.reports.formats import (
    DASH,
    count,
    decimal,
    four,
    grouped,
    percent,
    power,
    signed_percent,
    spread,
    times,
)
from hutch.reports.reading import Interval, interval, items, part
from hutch.reports.scaling.plan_units import days_told, dollars, factor, hours_told, plural, storage, three

Document = Mapping[str, Any]
Row = tuple[str, ...]
Form = Callable[[float | None], str]

_TARGETS = {
    "flops": "a budget of {} FLOP",
    "gpu_hours": "{} device hours",
    "dollars": "${}",
    "tokens": "{} tokens at hand",
    "parameters": "a model of {} parameters",
    "loss": "a loss of {}",
}
_SIZES = {0.25: "¼", 0.5: "½", 1.0: "optimal", 2.0: "2×", 4.0: "4×"}
SIZE_HEADS = ("same compute", "parameters", "tokens", "loss", "more loss", "compute wasted")
TENFOLD_HEADS = ("10× the compute", "parameters", "tokens")
SUGGESTION_HEADS = ("suggested by", "peak rate", "batch (tokens)", "steps", "measured on")


def known(document: Document, name: str) -> Interval:
    """A figure of the document."""
    return interval(document.get(name))


def why(document: Document, *path: str) -> str:
    """The reason that a figure or a part gives, empty where it gives none."""
    return str(part(document, *path).get("reason") or "")


def asked(document: Document) -> str:
    """What was asked for: `a budget of 5.76×10²³ FLOP`."""
    request = part(document, "request")
    target = str(request.get("target"))
    form: Callable[[Any], str] = {"flops": power, "loss": lambda v: f"{v:.10g}"}.get(target, count)
    return _TARGETS.get(target, "{}").format(form(request.get(target)))


def answer(document: Document) -> str:
    """The plan in one sentence."""
    n, d, ratio, loss = (known(document, name).value for name in MAIN if name != "flops")
    told = f"{count(n)} parameters on {count(d)} tokens, {three(ratio)} a parameter"
    return told + ("." if loss is None else f": a loss of {decimal(loss)} nats per token.")


def laws(document: Document) -> str:
    """Which law split the budget and which gave the loss."""
    law, loss_law = part(document, "law").get("name"), part(document, "loss_law").get("name")
    return f"under {law}" + (f", loss by {loss_law}" if loss_law and loss_law != law else "")


MAIN: dict[str, tuple[str, Form]] = {
    "flops": ("training compute (FLOP)", power),
    "parameters": ("parameters", count),
    "tokens": ("tokens", count),
    "tokens_per_parameter": ("tokens a parameter", three),
    "loss": ("loss (nats per token)", decimal),
}
"""Label and form of the five main figures."""


def optimum_rows(document: Document) -> list[Row]:
    """(label, value, interval, why there is none or what it is) of the five main figures."""
    figures = dict(MAIN)
    if other_count(document):
        own = (f"compute as {counted(document)} (FLOP)", power)
        figures = {"flops": own, "flops_6nd": ("as 6·N·D (FLOP)", power)}
        figures |= {name: row for name, row in MAIN.items() if name != "flops"}
    return [
        (label, form(known(document, name).value), *_range(document.get(name), form))
        for name, (label, form) in figures.items()
    ]


def counted(document: Document) -> str:
    """How the law counts compute: `6·N·D`."""
    return f"{part(document, 'law').get('flops_per_nd'):.3g}·N·D"


def other_count(document: Document) -> bool:
    """Whether the law counts compute otherwise than as 6·N·D."""
    kappa = part(document, "law").get("flops_per_nd")
    return kappa is not None and abs(kappa / 6 - 1) > 0.02


def _range(raw: Any, form: Form) -> tuple[str, str]:
    found, reason = interval(raw), str((raw or {}).get("reason") or "")
    if not found.bounded:
        return "", reason
    told = f"[{form(found.low)}, {form(found.high)}]"
    return (f"{told} {percent(found.level)}", "") if found.level else (told, reason)


def shape_lines(document: Document) -> list[str]:
    """The transformer, its exact size, and its exact FLOP; or why there is none."""
    shape = part(document, "shape")
    if not shape.get("layers"):
        return [why(document, "shape")]
    counts = {str(row["convention"]): row for row in items(document, "shape", "training")}
    executed = counts["executed"]
    others = ", ".join(f"{name} {times(row['over_6nd'])}" for name, row in counts.items() if name != "executed")
    return [
        f"{shape['layers']} layers × width {grouped(shape['width'])} · {shape['heads']} heads of {shape['key_size']} · "
        f"feed-forward {grouped(shape['feed_forward'])}",
        f"vocabulary {grouped(shape['vocabulary'])} · context {grouped(shape['context'])} · "
        f"{shape['positions']} positions",
        f"{grouped(shape['parameters'])} parameters ({signed_percent(shape['size_error'])}) · width per layer "
        f"{decimal(shape['aspect'], 0)}, published trend {decimal(shape['aspect_trend'], 0)}",
        f"{power(executed['flops'])} FLOP executed, {power(executed['flops_per_token'])} a token: "
        f"{times(executed['over_6nd'])} 6ND ({others})",
    ]


def time_lines(document: Document) -> list[str]:
    """Hours, days and money."""
    time = part(document, "time")
    mfu, hours, days, money = (interval(time.get(name)) for name in ("mfu", "gpu_hours", "days", "dollars"))
    share = f"{percent(mfu.low)} to {percent(mfu.high)}" if mfu.bounded else percent(mfu.value)
    pace = f"{plural(time.get('devices_for_a_month'), 'device')} for at most 30 days"
    if days.known:
        pace = f"{days_told(days)} on {plural(time.get('devices'), 'device')}"
    elif time.get("devices_for_a_month") == 1:
        pace = "within 30 days on one device"
    paid = f"{dollars(money)} at ${decimal(time.get('dollars_per_hour'), 2)} an hour"
    return [
        f"{hours_told(hours)} of {time.get('device_name')} at {share} of its peak",
        f"{pace} · {paid if money.known else why(time, 'dollars')}",
    ]


def memory_lines(document: Document) -> list[str]:
    """States and activations."""
    memory = part(document, "memory")
    states = (
        f"{storage(memory.get('states'))} of weights, gradients and Adam, "
        f"{sum(part(memory, 'bytes_per_parameter').values())} bytes a parameter: "
        f"{plural(memory.get('devices_for_states'), 'device')} of {storage(memory.get('device_memory'))}"
    )
    kept = part(memory, "activations_per_sequence")
    if not kept:
        return [states, f"activations unknown: {memory.get('activations_reason')}"]
    return [
        states,
        f"activations a sequence: {storage(kept['stored'])}; with flash attention {storage(kept['without_scores'])}",
        f"with full recomputation {storage(kept['recomputed'])}, for {factor(kept['recomputation'])} the FLOP",
    ]


def size_rows(document: Document) -> list[Row]:
    """Other sizes at the same compute."""
    rows: list[Row] = []
    for row in items(document, "other_sizes", "rows"):
        here = row["factor"] == 1
        rows.append(
            (
                _SIZES.get(row["factor"], times(row["factor"])),
                count(row["parameters"]),
                count(row["tokens"]),
                four(interval(row["loss"]).value),
                DASH if here else spread(interval(row["difference"]), four),
                DASH if here else spread(interval(row["wasted"]), percent),
            )
        )
    return rows


def tenfold_rows(document: Document) -> list[Row]:
    """What ten times the compute does to N and D: under the plan's law, then under each published one."""
    grown, law = part(document, "tenfold"), part(document, "law")
    ours = (spread(interval(grown.get(name)), factor) for name in ("parameters", "tokens"))
    rows: list[Row] = [(f"{law.get('name')} (this plan)", *ours)]
    others = [row for row in items(grown, "published") if row["key"] != law.get("key")]
    return rows + [(str(row["name"]), factor(row["parameters"]), factor(row["tokens"])) for row in others]


def suggestion_rows(document: Document) -> list[Row]:
    """Rates and batches with where they were measured, and how far away that is."""
    return [
        (
            str(one["name"]),
            power(one["learning_rate"], 2),
            count(one["batch_tokens"]),
            count(one["steps"]),
            "; ".join(_reach(reach) for reach in one["reaches"]),
        )
        for one in items(document, "hyperparameters")
    ]


def _reach(reach: Mapping[str, Any]) -> str:
    """`N 215M to 1.07B, 68.6× beyond`."""
    symbol, beyond = str(reach["variable"])[0], reach["extrapolated"]
    form = power if symbol == "C" else count
    measured = f"{symbol} {form(reach['low'])} to {form(reach['high'])}"
    return (
        measured if beyond is None else f"{measured}, {power(beyond, 2) if beyond >= 1000 else three(beyond)}× beyond"
    )


def served_lines(document: Document) -> list[str]:
    """The optimum over the model's life, where it was asked for."""
    served = part(document, "inference")
    if not served.get("inference_tokens"):
        return [why(document, "inference")] if served else []
    at = {name: interval(raw) for name, raw in served.items() if isinstance(raw, Mapping)}
    share = {name.removesuffix("_ratio"): spread(at[name], percent) for name in at if name.endswith("_ratio")}
    return [
        f"{count(served['inference_tokens'])} tokens: {spread(at['parameters'], count)} parameters on "
        f"{spread(at['tokens'], count)} tokens",
        f"the same loss for {share['lifetime_flops']} of the lifetime FLOP of the cheapest to train",
        f"with {share['parameters']} of its parameters, {share['tokens']} of its tokens, {share['training_flops']} of "
        "its training",
        f"{power(at['lifetime_flops'].value)} FLOP in all, {power(at['inference_flops'].value)} of them to serve",
    ]


def limited_lines(document: Document) -> list[str]:
    """The optimum on limited data, where it was asked for."""
    limited = part(document, "limited_data")
    if not limited.get("unique_tokens"):
        return [why(document, "limited_data")] if limited else []
    unique = f"{count(limited['unique_tokens'])} unique tokens"
    if limited.get("enough"):
        return [f"{unique} are enough for one epoch; nothing changes"]
    at = {name: interval(raw) for name, raw in limited.items() if isinstance(raw, Mapping)}
    return [
        f"{unique}: {spread(at['parameters'], count)} parameters on {spread(at['tokens'], count)} tokens",
        f"{spread(at['epochs'], three)} epochs; loss {decimal(at['loss'].value)}, {spread(at['penalty'], four)} more "
        "than with unlimited data",
    ]
