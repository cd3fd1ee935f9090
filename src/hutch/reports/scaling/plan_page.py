"""The page of a plan: one HTML file that needs nothing but itself."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hutch.reports.formats import DASH, count, power, spread
from hutch.reports.markup import Html, element, joined, prose
from hutch.reports.page import whole_page
from hutch.reports.pictures import picture
from hutch.reports.reading import Interval, interval, items, part
from hutch.reports.scaling import plan_figures as figures
from hutch.reports.scaling import plan_words as words
from hutch.reports.scaling.plan_units import dollars, factor, hours_told, three
from hutch.reports.scaling.plan_words import Document
from hutch.reports.sections import section
from hutch.reports.tables import facts, table
from hutch.runs.atomic import write_bytes


def render_plan(document: Document, target: Path) -> Path:
    """Write the page of a plan (`Plan.as_dict()`) to `target` and return its path; `HutchError` where it cannot."""
    # A surrogate without its other half, such as a file name may hold, has no UTF-8.
    write_bytes(Path(target), plan_page(document).encode(errors="replace"))
    return Path(target)


def plan_page(document: Document) -> str:
    """The page as text."""
    title = f"Plan for {words.asked(document)}"
    parts = (headline, tiles, pictures, run, alternatives, suggestions, beyond, laws, assumed)
    return whole_page(title, joined(build(document) for build in parts))


def headline(document: Document) -> Html:
    """What was asked, the answer, the warnings."""
    warnings = [element("li", prose(warning["message"])) for warning in items(document, "warnings")]
    return element(
        "header",
        element("p", f"Training plan · {words.laws(document)}", class_="eyebrow"),
        element("h1", f"Plan for {words.asked(document)}"),
        element("p", words.answer(document), class_="answer"),
        element("ul", warnings, class_="warnings", aria_label="Warnings") if warnings else None,
    )


def tiles(document: Document) -> Html:
    """The figures to remember."""
    shown = [_tile(row) for row in words.optimum_rows(document)]
    time = part(document, "time")
    hours, money = interval(time.get("gpu_hours")), interval(time.get("dollars"))
    paid = dollars(money) if money.known else words.why(time, "dollars")
    ends = f"[{count(hours.low)}, {count(hours.high)}]" if hours.bounded else ""
    shown.append(_tile((f"on {time.get('device_name')}", hours_told(Interval(hours.value)), ends, paid)))
    return element("div", shown, class_="tiles")


def _tile(row: words.Row) -> Html:
    """Label, figure, interval; the reason small where there is none."""
    label, value, ends, note = row
    return element(
        "div",
        element("span", label),
        element("strong", value),
        element("span", ends, class_="ends") if ends else None,
        element("small", note) if note else None,
        class_="tile",
    )


def pictures(document: Document) -> Html:
    """Both figures side by side."""
    valley = [
        element("b", "The valley. "),
        "Loss of other sizes at the plan's compute: ★ the plan, ● half and twice its size, ○ a quarter and four times.",
    ]
    allocation = [
        element("b", "The law. "),
        "Optimal size against compute: ★ the plan; shaded: the compute of the law's own runs; thin: published laws.",
    ]
    pair = (
        picture("valley", document, figures.draw_valley, figures.describe_valley(document), valley),
        picture("allocation", document, figures.draw_allocation, figures.describe_allocation(document), allocation),
    )
    return element(
        "section", element("h2", "The plan in pictures", class_="quiet"), element("div", pair, class_="pair")
    )


def run(document: Document) -> Html:
    """What to start: the shape, the time, the memory."""
    blocks = {
        "shape": words.shape_lines(document),
        "time and money": words.time_lines(document),
        "memory": words.memory_lines(document),
    }
    return section("run", "The run", _blocks(blocks))


def _blocks(blocks: Mapping[str, Sequence[str]]) -> Html:
    """Lines under their names, as many blocks side by side as there is room for."""
    shown = [
        element("div", element("span", name), [element("div", prose(line)) for line in lines], class_="tile")
        for name, lines in blocks.items()
    ]
    return element("div", shown, class_="tiles wide")


def alternatives(document: Document) -> Html:
    """Other sizes at the same compute; ten times the compute; the FLOP of the shape by every convention."""
    rows = words.size_rows(document)
    caption = "Another size: its loss, and the share of the compute that it wastes"
    sizes = (
        table(words.SIZE_HEADS, rows, caption=caption, numeric=range(1, 6))
        if rows
        else element("p", f"Other sizes: {words.why(document, 'other_sizes')}.", class_="why")
    )
    caption = "Ten times the compute: what it multiplies"
    grown = table(words.TENFOLD_HEADS, words.tenfold_rows(document), caption=caption, numeric=(1, 2))
    note = element("small", prose(part(document, "tenfold").get("note")), class_="under")
    pair = element("div", element("div", grown, note), element("div", _counts(document)), class_="pair")
    return section("alternatives", "What else the compute could do", element("div", sizes), element("br"), pair)


def _counts(document: Document) -> Html | None:
    """Training FLOP of the shape under each convention."""
    rows = [
        (row["convention"], power(row["flops_per_token"], 4), power(row["flops"], 4), factor(row["over_6nd"]))
        for row in items(document, "shape", "training")
    ]
    heads = ("convention", "FLOP a token", "FLOP in all", "of 6·N·D")
    return table(heads, rows, caption="Training FLOP of this shape, exactly", numeric=(1, 2, 3)) if rows else None


def suggestions(document: Document) -> Html:
    """Rates and batches with the range they were measured on; their sources below."""
    found = items(document, "hyperparameters")
    rows: list[Any] = []
    for (name, rate, batch, steps, reach), raw in zip(words.suggestion_rows(document), found, strict=True):
        sequences = DASH if raw["batch_sequences"] is None else f"{batch} ({raw['batch_sequences']:,} sequences)"
        rows.append((name, rate, sequences, steps, reach))
    caption = "Suggestions to start a search from, not optima of this run"
    sources = [
        element("li", element("small", f"{raw['name']}: ", prose(". ".join(raw[k] for k in _SAID if raw[k]) + ".")))
        for raw in found
    ]
    body = table(words.SUGGESTION_HEADS, rows, caption=caption, numeric=(1, 2, 3))
    return section("hyperparameters", "Learning rate and batch", body, element("ul", sources))


_SAID = ("source", "note", "reason")


def beyond(document: Document) -> Html | None:
    """The optimum when the model is served, and when data are limited, where they were asked for."""
    blocks = {
        "served": words.served_lines(document),
        "limited data": words.limited_lines(document),
    }
    asked = {name: lines for name, lines in blocks.items() if lines}
    return section("beyond", "Serving and limited data", _blocks(asked)) if asked else None


def laws(document: Document) -> Html:
    """Which laws were used, their sources, their constants."""
    law, loss_law = part(document, "law"), part(document, "loss_law")
    covered = items(document, "law", "compute_range")
    pairs = [
        ("allocation", _cited(law)),
        ("N ∝ Cᵃ, a", spread(interval(law.get("a")), three)),
        ("D ∝ Cᵇ, b", spread(interval(law.get("b")), three)),
        ("parameters counted", law.get("counts")),
        (
            "data",
            f"{power(covered[0])} to {power(covered[1])} FLOP, {law['compute_range_source']}" if covered else None,
        ),
        ("FLOP counted as", words.counted(document)),
        ("intervals", law.get("interval_note")),
        ("loss", _cited(loss_law) if loss_law.get("name") else loss_law.get("reason")),
        ("why this loss", loss_law.get("why")),
        *((name, spread(interval(raw), three)) for name, raw in part(loss_law, "constants").items()),
    ]
    return section("laws", "The laws", facts(pairs))


def _cited(law: Mapping[str, Any]) -> Html:
    said = [str(law.get(key)) for key in ("source", "note") if law.get(key)]
    return joined([str(law.get("name")), element("small", prose(". ".join(said)), class_="under")])


def assumed(document: Document) -> Html:
    """What nobody said."""
    lines = [element("li", prose(line)) for line in items(document, "assumptions")]
    return section("assumed", "Assumed", element("ul", lines))
