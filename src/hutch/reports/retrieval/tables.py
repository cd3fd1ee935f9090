"""The tables of the page: what the figures draw, exactly, and what they leave out."""

from collections.abc import Mapping
from typing import Any

from hutch.reports.formats import DASH, count, decimal, duration, fine, grouped, percent, power, spread
from hutch.reports.markup import Html
from hutch.reports.reading import Analysis, interval, items, part
from hutch.reports.retrieval.looks import NAMES
from hutch.reports.tables import facts, table

HEADS = (*NAMES.values(), "gain, same tokens", "gain, equal FLOPs", "gain, on over off")
GAINS = ("same_tokens", "equal_flops", "on_over_off")


def _figures(outcome: Mapping[str, Any]) -> list[str]:
    """A row of bits per byte and of gains with their intervals."""
    bits = [decimal(interval(part(outcome, "bits_per_byte").get(kind)).value) for kind in NAMES]
    gains = [interval(part(outcome, "gains").get(name)) for name in GAINS]
    return bits + [spread(gain, fine(gain)).replace(", ", ",\u00a0") for gain in gains]


def subsets(analysis: Analysis) -> Html:
    """Bits per byte and gains on each subset, and on all."""
    rows = [("all", DASH, *_figures(part(analysis, "reference")))]
    rows += [(str(s["name"]), grouped(s.get("documents")), *_figures(s)) for s in items(analysis, "subsets")]
    heads = ("subset", "documents", *HEADS)
    return table(heads, rows, caption="Bits per byte of held-out text by subset", numeric=range(1, len(heads)))


def sizes(analysis: Analysis) -> Html:
    """The same for every budget and width."""
    rows = [
        (power(cell["budget"]), grouped(cell["width"]), count(cell["parameters"]), *_figures(cell))
        for cell in items(analysis, "cells")
    ]
    heads = ("budget", "width", "parameters", *HEADS)
    return table(heads, rows, caption="Bits per byte of all held-out text by size", numeric=range(0, len(heads)))


def multipliers(analysis: Analysis) -> Html:
    """The multiplier at each budget, with the database's cost apart and inside."""
    rows = [
        (
            power(found["budget"]),
            _multiplier(found),
            _multiplier(part(found, "with_database")),
            " to ".join(decimal(end, 2) for end in found["range"]),
            percent(found.get("outside")),
            str(found["verdict"]),
        )
        for found in items(analysis, "multiplier")
    ]
    heads = ("budget", "multiplier", "database paid for", "measured range", "draws outside", "more compute needed?")
    caption = "FLOPs that a model without retrieval needs for RETRO's bits per byte, over RETRO's FLOPs"
    return table(heads, rows, caption=caption, numeric=range(0, 5))


def _multiplier(found: Mapping[str, Any]) -> str:
    estimate = interval(found.get("multiplier"))
    if not estimate.known:
        return str(found.get("bound") or DASH)
    low = "out of range" if estimate.low is None else decimal(estimate.low, 2)
    high = "out of range" if estimate.high is None else decimal(estimate.high, 2)
    return f"{decimal(estimate.value, 2)} [{low}, {high}]"


def split(analysis: Analysis) -> Html:
    """The measured best of each budget, without retrieval and by size of the database."""
    rows = []
    for budget in items(analysis, "best_sizes"):
        rows.append(_best(budget["budget"], "none", budget.get("plain")))
        rows += [_best(budget["budget"], count(size["tokens"]), size) for size in items(budget, "by_size")]
    heads = ("budget", "database (tokens)", "best width", "parameters", "bits per byte", "resamples that agree", "")
    return table(heads, rows, caption="The measured best of the grid", numeric=range(0, 6))


def _best(budget: float, database: str, best: Mapping[str, Any] | None) -> tuple[Any, ...]:
    if not best:
        return power(budget), database, DASH, DASH, DASH, DASH, ""
    edge = "the edge of the grid" if best.get("at_edge") else ""
    bits = spread(interval(best["bits_per_byte"]))
    size = grouped(best["width"]), count(best["parameters"])
    return power(budget), database, *size, bits, percent(best["agreement"]), edge


def law(analysis: Analysis) -> Html | None:
    """The optimum of each budget by the law, where there is one."""
    rows = []
    for optimum in items(analysis, "law", "optima"):
        for name, words in (("plain", "without"), ("retro", "with retrieval")):
            best = part(optimum, name)
            rows.append(
                (
                    power(optimum["budget"]), words, count(best["parameters"]), count(best["tokens"]),
                    count(best["database_tokens"]) if name == "retro" else DASH, decimal(best["bits_per_byte"]),
                    "outside the widths that were trained" if best.get("extrapolated") else "",
                )
            )  # fmt: skip
    heads = ("budget", "", "parameters", "tokens", "database (tokens)", "bits per byte", "")
    return table(heads, rows, caption="The best split by the law", numeric=(0, 2, 3, 4, 5)) if rows else None


def constants(analysis: Analysis) -> Html | None:
    """The law's constants."""
    found = part(analysis, "law")
    known = part(found, "constants")
    if not known:
        return None
    pairs = [(name, f"{known[name]:.4g}") for name in ("E", "A", "B", "alpha", "beta") if name in known]
    pairs += [("g, for an e-fold", spread(interval(found.get("gain")), lambda v: decimal(v, 5)))]
    pairs += [("δ, switched off", spread(interval(found.get("penalty")), lambda v: decimal(v, 4)))]
    pairs += [("R₀ (chunks)", count(known.get("R0")))]
    return facts(pairs)


def recall(analysis: Analysis) -> Html:
    """What the ten neighbours find of the overlaps that are there."""
    rows = [
        (percent(row["threshold"], 1), percent(row["exact_share"], 1), percent(row["neighbour_share"], 1),
         percent(row.get("recall")))
        for row in items(analysis, "copying", "recall")
    ]  # fmt: skip
    heads = ("overlap r of at least", "held-out chunks, exact", "by ten neighbours", "found by the neighbours")
    return table(heads, rows, caption="Overlap of the held-out text with the training text", numeric=range(4))


def costs(analysis: Analysis) -> Html:
    """FLOPs for a token, with retrieval and without."""
    rows = [
        (
            power(size["budget"]), grouped(size["width"]), power(size["plain_flops_per_token"], 3),
            power(size["retro_flops_per_token"], 3), _ratio(size), power(size["search_flops_per_token"], 3),
            percent(size.get("search_share"), 1), grouped(size.get("tokens_per_second")),
        )
        for size in items(analysis, "costs", "sizes")
    ]  # fmt: skip
    heads = (
        "budget", "width", "without", "with encoder and cross-attention", "ratio", "search", "search's share",
        "tokens / s",
    )  # fmt: skip
    return table(heads, rows, caption="Training FLOPs for a token", numeric=range(len(heads)))


def _ratio(size: Mapping[str, Any]) -> str:
    plain = size.get("plain_flops_per_token")
    return decimal(size["retro_flops_per_token"] / plain, 2) if plain else DASH


def cost_facts(analysis: Analysis) -> Html:
    """What is paid once, and how long each stage took."""
    found, database = part(analysis, "costs"), part(analysis, "database")
    distances, stages = part(found, "distances"), part(found, "seconds_by_stage")
    pairs: list[tuple[str, Any]] = [
        ("database", f"{count(database.get('chunks'))} chunks, {count(database.get('tokens'))} tokens"),
        ("embedder", database.get("embedder")),
        ("index", f"{database.get('index')}, recall@2 {decimal(database.get('recall_at_2'), 3)}"),
        ("retriever", database.get("retriever")),
        ("distances of a search", f"{count(distances.get('joining'))} of {count(distances.get('chunks'))}"),
        ("database, once", f"{power(found.get('database_flops'), 2)} FLOPs"),
        ("of the largest budget", percent(found.get("database_share"), 2)),
        ("bytes on disk", count(database.get("bytes"))),
        ("scoring", duration(found.get("scoring_seconds"))),
    ]
    return facts(pairs + [(f"stage: {name}", duration(seconds)) for name, seconds in stages.items()])
