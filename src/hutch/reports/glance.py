"""The top of the page: what a reader sees in one look, and what a talk shows in one screenshot."""

from collections.abc import Callable
from typing import Any

from hutch.reports import growth, tables, valleys
from hutch.reports.formats import count, decimal, duration, fine, level_of, percent, power, two
from hutch.reports.markup import Html, element, prose
from hutch.reports.pictures import growing, picture
from hutch.reports.reading import NUMBERS, Analysis, Interval, interval, items, leading_approach, part, reason
from hutch.reports.verdicts import VERDICTS


def headline(analysis: Analysis) -> Html:
    """Title, question, answer, and a chip for each claim."""
    how = part(analysis, "how")
    facts = [str(analysis.get("study") or "study"), f"scale {analysis.get('scale') or 'unknown'}"]
    facts += [f"{len(items(analysis, 'runs'))} runs"]
    facts += [duration(how["seconds"])] if how.get("seconds") else []
    facts += [str(how["machine"])] if how.get("machine") else []
    return element(
        "header",
        element("p", " · ".join(facts), class_="eyebrow"),
        element("h1", str(analysis.get("title") or analysis.get("study") or "Study")),
        element("p", prose(analysis["question"]), class_="question") if analysis.get("question") else None,
        element("p", prose(analysis.get("answer") or "The analysis gives no answer."), class_="answer"),
        _chips(analysis),
    )


def _chips(analysis: Analysis) -> Html | None:
    """The verdicts, each with the short names of its claims, which lead to their rows below."""
    groups: dict[str, list[Any]] = {verdict: [] for verdict in VERDICTS}
    for claim in items(analysis, "claims"):
        name = str(claim.get("name") or claim.get("statement"))
        title = str(claim.get("statement") or "")
        link = element("a", prose(name), href=f"#{tables.claim_anchor(claim)}", title=title)
        groups.setdefault(str(claim.get("verdict")), []).append(link)
    chips = [
        element("span", tables.badge(verdict), *links, class_="chip") for verdict, links in groups.items() if links
    ]
    return element("nav", chips, class_="chips", aria_label="Verdicts") if chips else None


def glance(analysis: Analysis) -> Html:
    """The study in one look: where the minima are, and how they move."""
    refused = valleys.refusals(analysis)
    minima = [interval(profile.get("n_opt")) for profile in items(analysis, "fits", "profiles", "profiles")]
    caption: list[Any] = [
        element("b", "The valleys. "),
        f"◆ the fitted minimum of a budget with its {level_of(minima)}; hollow: no minimum inside the sizes tried.",
    ]
    if refused:
        caption += [element("span", "Refused: " + "; ".join(refused), class_="why")]
    slope: list[Any] = [
        element("b", "The slope. "),
        "The minima against compute and the fit, carried to the held-out budget: predicted ★, measured ○. "
        "Published slopes pass through the centre of our minima.",
    ]
    unmeasured = part(analysis, "extrapolation").get("measured_reason")
    if unmeasured:
        slope += [element("span", f"No measured optimum: {unmeasured}.", class_="why")]
    return element(
        "section",
        element("h2", "The valleys, and how their minima move", class_="quiet"),
        element(
            "div",
            picture("valleys", analysis, valleys.draw, valleys.describe(analysis), caption),
            growing("parameters", analysis, growth.PARAMETERS, slope),
            class_="pair",
        ),
        _tiles(analysis),
        id="glance",
    )


def _tiles(analysis: Analysis) -> Html:
    """The figures to remember; each tile says why where it has no figure."""
    approach = leading_approach(analysis)
    fit, why = part(analysis, "fits", approach), reason(analysis, "fits", approach)
    number = NUMBERS.get(approach, approach)
    overall = interval(part(analysis, "chinchilla_test", "overall").get("difference"))
    untested = reason(analysis, "chinchilla_test")
    return element(
        "div",
        tile("optimal parameters ∝ Cᵃ", interval(fit.get("a")), two, f"exponent a, {number}", why),
        tile("optimal tokens ∝ Cᵇ", interval(fit.get("b")), two, f"exponent b, {number}", why),
        _prediction_tiles(analysis),
        tile(
            "optimal − Gopher-like",
            overall,
            fine(overall),
            "bits per byte; below 0: the optimum is better",
            untested,
        ),
        class_="tiles",
    )


def _prediction_tiles(analysis: Analysis) -> list[Html]:
    """What was predicted for the held-out budget, and what was measured there."""
    ahead, why = part(analysis, "extrapolation"), reason(analysis, "extrapolation")
    at = f" at {power(ahead['budget'])} FLOPs" if ahead.get("budget") else ""
    ratio, measured = ahead.get("parameters_error"), ahead.get("loss_measured")
    size = "no optimum measured" if ratio is None else f"{decimal(ratio, 2)} × measured"
    loss = f"nats per token, predicted; {'not measured' if measured is None else f'measured {decimal(measured)}'}"
    return [
        tile(f"parameters{at}", interval(ahead.get("parameters_predicted")), count, f"predicted; {size}", why),
        tile(f"held-out loss{at}", interval(ahead.get("loss_predicted")), decimal, loss, why),
    ]


def tile(label: str, estimate: Interval, form: Callable[[float | None], str], unit: str, why: str) -> Html:
    """A figure to remember with its interval and unit, or why there is none."""
    if not estimate.known:
        return element("div", element("span", label), element("p", why, class_="why"), class_="tile")
    ends = f"[{form(estimate.low)}, {form(estimate.high)}]" if estimate.bounded else ""
    at = f"{percent(estimate.level)}" if estimate.bounded and estimate.level else ""
    return element(
        "div",
        element("span", label),
        element("strong", form(estimate.value)),
        element("span", f"{ends} {at}".strip(), class_="ends") if ends else None,
        element("small", unit),
        class_="tile",
    )
