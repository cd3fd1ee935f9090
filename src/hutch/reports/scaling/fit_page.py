"""The page of a fit: one HTML file that needs nothing but itself."""

from collections.abc import Callable
from typing import Any

from hutch.reports.formats import count, percent, power, significant, spread, times
from hutch.reports.markup import Html, element, joined, prose
from hutch.reports.page import whole_page
from hutch.reports.pictures import picture
from hutch.reports.reading import Interval, items, part
from hutch.reports.scaling import approaches, cloud, fit_tables, fit_words, holdout, isoflop, residuals
from hutch.reports.scaling.approaches import Document
from hutch.reports.scaling.fit_figures import FIGURES
from hutch.reports.sections import section
from hutch.reports.tables import facts


def fit_page(document: Document) -> str:
    """The page as text, from the document of a fit with its drawing (`hutch fit`)."""
    text = whole_page(fit_words.title(document), joined(build(document) for build in ORDER))
    # A surrogate without its other half, such as a file name may hold, has no UTF-8.
    return text.encode(errors="replace").decode()


def _figure(document: Document, name: str, *caption: Any) -> Html:
    """A figure under its title, or why there is none."""
    figure = FIGURES[name]
    words = [element("b", f"{figure.title}. "), *caption]
    return picture(name, document, figure.draw, figure.describe(document), words)


def headline(document: Document) -> Html:
    """Title, result, warnings."""
    warnings = [element("li", prose(warning)) for warning in fit_words.warnings(document)]
    return element(
        "header",
        element("p", " · ".join(fit_words.scope(document)), class_="eyebrow"),
        element("h1", fit_words.title(document)),
        element("p", prose(fit_words.answer(document)), class_="answer"),
        element("ul", warnings, class_="warnings", aria_label="Warnings") if warnings else None,
    )


def tiles(document: Document) -> Html:
    """The figures to remember: each law, and the optimum at the largest compute that was asked for."""
    shown = [_law_tile(document, approach) for approach in approaches.with_law(document)]
    far = fit_words.farthest(document)
    best = [_optimum_tile(far[0], approach, found) for approach, found in far[1].items()] if far else []
    lost = [
        element("p", f"{approaches.label(approach)}: {approaches.short_why(document, approach)}", class_="why")
        for approach in approaches.without_law(document)
    ]
    return joined([*(element("div", row, class_="tiles wide") for row in (shown, best) if row), lost])


def _optimum_tile(flops: float, approach: str, found: dict[str, Interval]) -> Html:
    """The best model of a budget."""
    n, d = (found.get(name, Interval()) for name in ("parameters", "tokens"))
    ratio = f"; {significant(d.value / n.value, 3)} tokens per parameter" if n.value and d.value else ""
    return element(
        "div",
        element("span", f"{approaches.NAMES.get(approach, approach)}, optimum at {power(flops)} FLOPs"),
        element("strong", f"{count(n.value)} parameters"),
        element("span", fit_tables.ends(n, count), class_="ends"),
        element("small", f"{spread(d, count)} tokens{ratio}"),
        class_="tile",
    )


def _law_tile(document: Document, approach: str) -> Html:
    """The law of one approach, and what it means for ten times the compute."""
    a, b = (approaches.exponent(document, approach, name) for name in ("a", "b"))
    grown = [spread(fit_words.tenfold(exponent), times) for exponent in (a, b)]
    return element(
        "div",
        element("span", approaches.label(approach)),
        element("strong", prose(f"N ∝ C^{significant(a.value)}")),
        element("span", _ends(a), class_="ends"),
        element("small", f"10× the compute: {grown[0]} the parameters, {grown[1]} the tokens"),
        class_="tile",
    )


def _ends(estimate: Interval) -> str:
    return f"{fit_tables.ends(estimate, significant)} {percent(estimate.level)}" if estimate.bounded else ""


def profiles(document: Document) -> Html | None:
    """Approach 2's own figure."""
    if not isoflop.drawable(document):
        return None
    refused = [element("li", prose(line)) for line in isoflop.refusals(document)]
    figure = _figure(
        document,
        "isoflop",
        "Points: runs. ◆ the minimum of a budget with its interval. ",
        isoflop.interpolated(document),
        isoflop.above(document),
        "Hollow, dotted: no minimum inside the sizes tried, so left out of the law." if refused else None,
        element("ul", refused, class_="why") if refused else None,
    )
    return section("profiles", "Loss at each budget", figure)


def allocation(document: Document) -> Html:
    """The split of a budget, by every approach."""
    words = "Lines: the laws with their intervals; shaded: the compute of the runs. Thin: published laws as they are."
    pair = [_figure(document, name, words) for name in ("optimal-parameters", "optimal-tokens")]
    table = fit_tables.optima(document) if items(document, "optima") else None
    return section("allocation", "How to split a budget", element("div", pair, class_="pair"), table)


def laws(document: Document) -> Html:
    """Exponents beside the published ones, and every constant."""
    words = "Filled: this fit. Open: published, with the intervals of the papers. Dotted line: 0.5, equal growth."
    pair = [_figure(document, name, words) for name in ("exponent-a", "exponent-b")]
    table = fit_tables.constants(document)
    return section("laws", "Exponents and constants", element("div", pair, class_="pair"), table)


def surface(document: Document) -> Html | None:
    """Approach 3: the loss as a surface, where it misses, and how surely its constants are known."""
    if "parametric" not in approaches.asked(document):
        return None
    missed = [
        _figure(document, "residuals-compute", "Above 0: predicted too high. ", residuals.named(document)),
        _figure(document, "residuals-parameters", "A law that fits shows no trend, in either picture."),
    ]
    resampled = _figure(
        document, "cloud", "Each point refits resampled runs. Shaded: both intervals. ", cloud.outside(document)
    )
    lines = "Lines: equal loss by the law. Points: runs; each has the colour of the line that it should lie on."
    return section(
        "surface",
        "The parametric loss",
        _figure(document, "contours", lines),
        element("div", missed, class_="pair"),
        element("div", resampled, _search(document), class_="pair"),
    )


def _search(document: Document) -> Html:
    """How the parametric optimum was found."""
    fit = approaches.fit(document, "parametric")
    told = facts(
        [
            ("search", fit.get("status")),
            ("starts", fit.get("starts")),
            ("starts that agree", percent(fit.get("starts_agree"))),
            ("objective", significant(fit.get("objective"), 6)),
            ("Huber δ", _plain(fit.get("delta"))),
            ("resamples lost", percent(fit.get("lost_share"), 1)),
            ("FLOPs per parameter and token", _plain(fit.get("flops_per_nd"))),
        ]
    )
    return element("div", element("h3", "The search"), told)


def _plain(value: float | None) -> str | None:
    return None if value is None else f"{value:g}"


def curves(document: Document) -> Html | None:
    """Approach 1's own figure."""
    if "envelope" not in approaches.asked(document) or not items(document, "drawing", "curves"):
        return None
    words = "Every run by the compute that it had spent. Thick: the lowest loss; where it is pale it is not in the law."
    return section("curves", "Training curves and their envelope", _figure(document, "curves", words))


def unseen(document: Document) -> Html | None:
    """The test on runs that no fit had seen."""
    if not part(document, "holdout"):
        return None
    drawn = [
        element(
            "div",
            _figure(document, f"holdout-{quantity}", "Bars: intervals of the prediction."),
            _figure(document, f"holdout-{quantity}-errors", "Above 0: predicted too high."),
            class_="pair",
        )
        for quantity in ("loss", "parameters")
        if holdout.outcomes(document, quantity)
    ]
    return section("holdout", "Held-out runs", fit_tables.tests(document), *drawn)


def notes(document: Document) -> Html | None:
    """What the fits say besides."""
    said = [element("li", prose(note)) for note in fit_words.notes(document)]
    return section("notes", "Notes", element("ul", said)) if said else None


def source(document: Document) -> Html:
    """What was read, and how."""
    pair = [fit_tables.columns(document), fit_tables.dropped(document)]
    return section("source", "The table", fit_tables.made_by(document), element("div", pair, class_="pair"))


ORDER: tuple[Callable[[Document], Html | None], ...] = (
    headline, tiles, profiles, allocation, laws, surface, curves, unseen, notes, source,
)  # fmt: skip
