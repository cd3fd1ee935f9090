"""The sections of the page, in the order in which they are read."""

from functools import partial
from typing import Any

from hutch.reports.formats import decimal, fine, level_of, power, spread
from hutch.reports.glance import headline, tile
from hutch.reports.markup import Html, element, joined, prose
from hutch.reports.pictures import picture
from hutch.reports.reading import Analysis, Interval, interval, items, part, reason
from hutch.reports.retrieval import forest, frontier, gains, isoflop, overlaps, tables
from hutch.reports.retrieval.examples import examples as example_cards
from hutch.reports.sections import claims, corpus, how, runs, section


def glance(analysis: Analysis) -> Html:
    """The study in one look: what a larger database gains, and what is left without overlap."""
    level = level_of(interval(point) for point in items(analysis, "database_curve", "mean"))
    left = [
        element("b", "The database. "),
        "What retrieval gains over the same model trained on the same tokens without it, against the size of the "
        f"database that is searched; shaded: {level}. Dotted grey: over the same models switched off, where no "
        "other training run blurs what the database does.",
    ]
    right = [
        element("b", "Copying. "),
        "Bits per byte on held-out chunks whose longest run in common with the training text is at most α of a chunk. "
        "Dotted: the paper's 12.5 %, 8 of 64 tokens.",
    ]
    return element(
        "section",
        element("h2", "Gain against the database, and against the allowed overlap", class_="quiet"),
        element(
            "div",
            picture("database", analysis, gains.draw_database, gains.describe_database(analysis), left),
            picture("overlap", analysis, overlaps.draw_bits, overlaps.describe(analysis, "exact"), right),
            class_="pair",
        ),
        _tiles(analysis),
        id="glance",
    )


def _tiles(analysis: Analysis) -> Html:
    """The figures to remember."""
    best, curve = interval(analysis.get("gain_of_best")), part(analysis, "database_curve")
    mean = items(analysis, "database_curve", "mean")
    whole = interval(mean[-1]) if mean else Interval()
    slope = interval(curve.get("slope"))
    budget = power(max(items(analysis, "budgets"), default=None))
    why = reason(analysis, "database_curve")
    return element(
        "div",
        tile(f"gain at equal FLOPs, {budget}", best, fine(best), "bits per byte, best size against best size",
             "No model without retrieval ended well."),
        tile("gain on the same tokens", whole, fine(whole), "bits per byte, mean of all sizes", why),
        tile("for each doubling of the database", slope, _five, "bits per byte", why),
        _left_tile(analysis),
        _multiplier_tile(analysis),
        class_="tiles",
    )  # fmt: skip


def _five(value: float | None) -> str:
    return decimal(value, 5)


def _left_tile(analysis: Analysis) -> Html:
    """The gain at α = 12.5 % by the exact overlap."""
    curve, named = part(analysis, "copying", "exact"), part(analysis, "copying").get("named")
    points, alphas = items(curve, "gains", "same"), items(curve, "alphas")
    place = alphas.index(named) if named in alphas else None
    left = interval(points[place]) if place is not None and points else Interval()
    chunks = items(curve, "chunks")[place] if place is not None else 0
    return tile(
        "gain with at most 12.5 % in common", left, fine(left), f"bits per byte, same tokens; {chunks} chunks",
        "No chunk has so little in common, or no model was trained on the same tokens.",
    )  # fmt: skip


def _multiplier_tile(analysis: Analysis) -> Html:
    """The multiplier at the largest budget, or between which bounds it lies."""
    found = items(analysis, "multiplier")
    if not found:
        return tile("compute multiplier", Interval(), decimal, "", "There is no frontier without retrieval.")
    last = found[-1]
    estimate = interval(last.get("multiplier"))
    words = f"FLOPs without retrieval for the same, over RETRO's: {last.get('verdict')}"
    why = f"{last.get('bound')}: outside the measured range, so it cannot be told exactly"
    return tile("compute multiplier", estimate, lambda v: "out of range" if v is None else decimal(v, 2), words, why)


def sizes(analysis: Analysis) -> Html:
    """With retrieval and without, at each budget and size."""
    iso = "Each budget spent on decoders of several sizes. Equal FLOPs hold the search; the same tokens cost less."
    front = (
        "Every run by what it cost. The line is the best without retrieval at each level of compute; shaded: its "
        "interval. A model with retrieval below the line is worth more than its FLOPs."
    )
    return section(
        "sizes",
        "At equal FLOPs: with retrieval and without",
        element(
            "div",
            picture("isoflop", analysis, isoflop.draw, isoflop.describe(analysis), iso),
            picture("frontier", analysis, frontier.draw, frontier.describe(analysis), front),
            class_="pair",
        ),
        tables.multipliers(analysis) if items(analysis, "multiplier") else None,
        tables.sizes(analysis),
        _seeds(analysis),
    )


def _seeds(analysis: Analysis) -> Html:
    """What another seed does to the smallest cell."""
    found = part(analysis, "seeds")
    gained = [spread(gain, fine(gain)) for gain in map(interval, items(found, "gains"))]
    if not gained:
        return element("p", f"Spread between seeds: {reason(analysis, 'seeds')}", class_="why")
    words = (
        f"Seeds: the gain on the same tokens at width {found.get('width')} and {power(found.get('budget'))} FLOPs is "
        f"{'; '.join(gained)} with {len(gained)} seeds, {decimal(found.get('spread'), 4)} apart. A gain smaller than "
        "that may be the seed's."
    )
    return element("p", words, class_="lead after")


def subsets(analysis: Analysis) -> Html:
    """The reference model on each subset."""
    reference = part(analysis, "reference")
    words = (
        f"The model of width {reference.get('width')} at {power(reference.get('budget'))} FLOPs, the best with "
        "retrieval there."
    )
    pair = [
        picture(f"subsets-{against}", analysis, partial(forest.draw, against=against),
                forest.describe(analysis, against), "Right of the dotted line retrieval helps. Grey: the interval "
                "holds 0.")
        for against in forest.BASELINES
    ]  # fmt: skip
    return section(
        "subsets", "By subset", element("p", words, class_="lead"), element("div", pair, class_="pair"),
        tables.subsets(analysis),
    )  # fmt: skip


def copying(analysis: Analysis) -> Html:
    """The gain against the allowed overlap, by both measures of it."""
    pair = [
        picture(
            f"copying-{mode}", analysis, partial(overlaps.draw_gain, mode=mode), overlaps.describe(analysis, mode),
            [element("b", f"{'Exact' if mode == 'exact' else 'The paper’s r(C)'}. "), f"Overlap {words}. A gain that "
             "falls to the left was copying."],
        )
        for mode, words in overlaps.MODES.items()
    ]  # fmt: skip
    return section("copying", "How much is copying", element("div", pair, class_="pair"), tables.recall(analysis))


def neighbours(analysis: Analysis) -> Html:
    """More neighbours at evaluation."""
    words = (
        "Gain over the same tokens without retrieval, with k neighbours at evaluation; shaded: interval of the mean."
    )
    shown = picture("neighbours", analysis, gains.draw_neighbours, gains.describe_neighbours(analysis), words)
    more = interval(part(analysis, "neighbours_curve").get("most_over_one"))
    known = element(
        "div",
        tile("the most neighbours over one", more, fine(more), "bits per byte gained", "k was not varied."),
        class_="tiles",
    )
    return section("neighbours", "Neighbours at evaluation", element("div", shown, known, class_="pair"))


def split(analysis: Analysis) -> Html:
    """Parameters, tokens, database."""
    found = part(analysis, "law")
    why = element("p", f"No law: {found['reason']}.", class_="why") if found.get("reason") else None
    equation = [
        *("L(N, D, R) = E + A·N", element("sup", "−α"), " + B·D", element("sup", "−β"), " + δ − g·ln(1 + R/R₀)"),
        " in bits per byte; the budget pays for training, search and the database.",
    ]
    return section(
        "split",
        "How to split a budget: parameters, tokens, database",
        tables.split(analysis),
        element("p", equation, class_="lead after"),
        why,
        tables.constants(analysis),
        tables.law(analysis),
    )


def costs(analysis: Analysis) -> Html:
    """What retrieval costs."""
    return section("costs", "What retrieval costs", tables.costs(analysis), tables.cost_facts(analysis))


def examples(analysis: Analysis) -> Html:
    """Held-out text with its neighbours."""
    words = (
        "Grey: the chunk that was read, for which the neighbours were found. Then the chunk that follows, each token "
        "tinted green where retrieval made it cheaper, red where dearer, in bits against the same model switched off."
    )
    return section("examples", "What was retrieved", element("p", words, class_="lead"), example_cards(analysis))


def notes(analysis: Analysis) -> Html:
    """What a careful reader must know besides."""
    said = [*items(analysis, "notes"), *items(analysis, "law", "notes")]
    return section("notes", "Notes", element("ul", [element("li", prose(note)) for note in said]))


ORDER = (
    headline, glance, sizes, subsets, copying, neighbours, split, claims, examples, costs, runs, corpus, how, notes,
)  # fmt: skip


def body(analysis: Analysis) -> Html:
    """The whole page from the headline to the notes."""
    children: list[Any] = [build(analysis) for build in ORDER]
    return joined(children)
