"""The page of a forecast: one HTML file that needs nothing but itself."""

from pathlib import Path
from typing import Any

from hutch.reports.formats import decimal, percent
from hutch.reports.markup import Html, element, joined, prose
from hutch.reports.page import whole_page
from hutch.reports.pictures import picture
from hutch.reports.reading import items, part
from hutch.reports.scaling import forecast_curves, forecast_requirements, forecast_tables
from hutch.reports.scaling import forecast_words as words
from hutch.reports.scaling.forecast_words import Document
from hutch.reports.sections import section
from hutch.reports.tables import facts
from hutch.runs.atomic import write_bytes


def write_page(document: Document, path: Path) -> Path:
    """Write the page of a forecast document; `HutchError` where it cannot be written."""
    write_bytes(path, forecast_page(document).encode(errors="replace"))
    return path


def forecast_page(document: Document) -> str:
    """The page as text, from the document of `hutch forecast --json`."""
    return whole_page(str(document.get("title") or "Forecast"), joined(build(document) for build in ORDER))


def headline(document: Document) -> Html:
    """The question and the answer."""
    return element(
        "header",
        element("p", " · ".join(words.scope(document)), class_="eyebrow"),
        element("h1", str(document.get("title") or "Forecast")),
        element("p", prose(document.get("answer")), class_="answer"),
    )


def figures(document: Document) -> Html:
    """The forecast in one look."""
    curves: list[Any] = [
        element("b", "The odds of each year. "),
        "◆ where a curve passes one half. Shaded: what lies between the conservative and the aggressive preset; the "
        "published ones lie further apart.",
    ]
    needs: list[Any] = [
        element("b", "What each anchor asks for. "),
        "Training compute with the algorithms of 2020, one row an anchor, with its weight; bars run from the 10th to "
        "the 90th percentile. Dotted: what the largest run buys in a year. The anchor none lies far to the right.",
    ]
    pair = [
        picture("curves", document, forecast_curves.draw, forecast_curves.describe(document), curves),
        picture("requirements", document, forecast_requirements.draw, forecast_requirements.describe(document), needs),
    ]
    return element(
        "section",
        element("h2", "The odds, and what each anchor asks for", class_="quiet"),
        element("div", pair, class_="pair"),
        tiles(document),
        id="glance",
    )


def tiles(document: Document) -> Html:
    """The figures to remember."""
    lines, exact = words.lines(document), words.monte_carlo(document)
    shown = []
    for line in lines[:-1]:
        raw = part(document, line.key, "median")
        never = f"{percent(part(document, line.key).get('never_by_horizon'), 1)} not by {line.years[-1]}"
        ends = words.median_ends(raw)
        shown.append(_tile(f"median, {line.head}", words.median(raw), ends, f"{exact}; {never}" if ends else never))
    for line, told in zip(lines[1:-1], words.differences(document), strict=True):
        raw = told["median_years"]
        value, ends = (
            (f"{words.signed(raw['value'])} years", words.ends(raw)) if raw["value"] is not None else ("–", "")
        )
        shown.append(_tile(f"{line.head}, against the baseline", value, ends, raw.get("reason") or exact))
    gap = part(document, "published", "difference")
    largest = f"{decimal(gap.get('max_points'), 1)} points"
    shown.append(_tile("largest distance from the published curve", largest, "", f"in {gap.get('max_year')}"))
    return element("div", shown, class_="tiles")


def _tile(label: str, value: str, ends: str, unit: str) -> Html:
    return element(
        "div",
        element("span", label),
        element("strong", value),
        element("span", ends, class_="ends") if ends else None,
        element("small", unit),
        class_="tile",
    )


def update(document: Document) -> Html:
    """What the update moves, and why in that direction."""
    why = element("p", prose(part(document, "difference").get("why")), class_="lead")
    pair = element("div", forecast_tables.differences(document), forecast_tables.by_year(document), class_="pair")
    return section("update", "Why the update moves the median", why, pair)


def sure(document: Document) -> Html:
    """How unsure the forecast is: presets, and what each guess moves."""
    lead = f"The Monte Carlo intervals are not the uncertainty of the forecast. From {words.spread_words(document)}."
    return section(
        "sure",
        "How sure, and what is a guess",
        element("p", lead, class_="lead"),
        forecast_tables.presets(document),
        element("br"),
        forecast_tables.guesses(document),
    )


def anchors(document: Document) -> Html:
    """What each anchor asks for."""
    return section("anchors", "The anchors", forecast_tables.anchors(document))


def notes(document: Document) -> Html:
    """What must be known to read the forecast."""
    lost = [note for told in words.differences(document) for note in items(told, "notes")]
    said = [*lost, words.published_words(document), *items(document, "notes")]
    source = f"Published curve: {part(document, 'published').get('source')}."
    return section("notes", "Notes", element("ul", [element("li", prose(note)) for note in [*said, source]]))


def how(document: Document) -> Html:
    """The numbers behind it."""
    config = part(document, "configuration")
    spending, hardware = part(config, "spending"), part(config, "hardware")
    command = element("code", str(document["command"])) if document.get("command") else None
    told = [
        ("command", command),
        (
            "spending",
            f"${spending.get('start'):.3g} in {spending.get('year'):g}, doubles in {spending.get('doubling'):g} y",
        ),
        ("spending levels off at", f"{percent(spending.get('share'), 1)} of ${spending.get('product'):.3g} a year"),
        ("growth of the product", f"{spending.get('growth'):g} a year"),
        ("hardware", prose(f"10^{hardware.get('start'):g} FLOP/$ in {hardware.get('year'):g}")),
        ("hardware doubles in", f"{hardware.get('doubling'):g} years, to at most 10^{hardware.get('ceiling'):g}"),
        ("algorithms", part(config, "algorithms").get("rule")),
        *((line.name, _exponent(document, line.key)) for line in words.lines(document)[:-1]),
    ]
    return section("how", "How it was made", facts(told))


def _exponent(document: Document, key: str) -> str:
    law = part(document, key, "data_exponent")
    return f"90 % from {decimal(law.get('low'), 2)} to {decimal(law.get('high'), 2)}"


ORDER = (headline, figures, update, sure, anchors, notes, how)
