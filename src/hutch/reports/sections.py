"""The sections of the page, in the order in which they are read."""

from collections import Counter
from typing import Any

from hutch.reports import forests, growth, tables, training_curves
from hutch.reports.formats import level_of
from hutch.reports.glance import glance, headline
from hutch.reports.markup import Html, element, joined, prose
from hutch.reports.pictures import growing, picture
from hutch.reports.reading import Analysis, interval, items, part, reason
from hutch.reports.verdicts import VERDICTS


def section(anchor: str, heading: str, *children: Any) -> Html:
    """A section of the page under its heading."""
    return element("section", element("h2", heading), *children, id=anchor, aria_label=heading)


def chinchilla(analysis: Analysis) -> Html:
    """The same compute spent in two ways, compared on held-out text."""
    test = part(analysis, "chinchilla_test")
    outcomes = [part(test, "overall"), *items(test, "subsets")]
    level = level_of(interval(outcome.get("difference")) for outcome in outcomes)
    caption = (
        f"Held-out text by subset, with {level}s; left of the dotted line the optimum is better. "
        "Grey: the interval holds 0."
    )
    body: Any = element("p", reason(analysis, "chinchilla_test"), class_="why")
    if test.get("overall") or test.get("subsets"):
        forest = picture("test", analysis, forests.draw_test, forests.describe_test(analysis), caption)
        body = element("div", forest, tables.both_models(analysis), class_="pair")
    said = str(test.get("verdict") or "")
    verdict = element("p", tables.badge(said) if said in VERDICTS else prose(said), class_="lead") if said else None
    return section("chinchilla", "The Chinchilla test: the optimum against a Gopher-like model", verdict, body)


def exponents(analysis: Analysis) -> Html:
    """The exponents of all approaches, ours and published, and how tokens grow."""
    alt = forests.describe_exponents(analysis)
    level = level_of(interval(part(analysis, "fits", approach).get("a")) for approach in forests.APPROACHES)
    shown = picture(
        "exponents",
        analysis,
        forests.draw_exponents,
        alt,
        f"Filled: ours, with {level}s. Open: published; the bars are the paper's own, the 10th to 90th percentile over "
        "80 % subsamples, narrower by construction. Dotted line: 0.5, parameters and tokens grow equally.",
    )
    tokens = growing("tokens", analysis, growth.TOKENS, "The tokens at each minimum against compute, drawn as above.")
    return section(
        "exponents",
        "Exponents: ours beside the published ones",
        element("div", shown, tokens, class_="pair"),
        tables.exponents(analysis),
    )


def curves(analysis: Analysis) -> Html:
    """All training curves and their envelope."""
    words = (
        "Every run by the compute that it had spent, coloured by its budget (FLOPs); dotted: did not finish. "
        "Where the envelope is pale it does not enter the law of approach 1."
    )
    shown = picture("curves", analysis, training_curves.draw, training_curves.describe(analysis), words)
    refused = not interval(part(analysis, "fits", "envelope").get("a")).known
    why = element("p", f"Fit to the envelope: {reason(analysis, 'fits', 'envelope')}", class_="why")
    return section("curves", "Training curves and their envelope", shown, why if refused else None)


def claims(analysis: Analysis) -> Html:
    """Published statements and what was found for each."""
    listed = items(analysis, "claims")
    absent = element("p", "The analysis lists no claims.", class_="why")
    return section("claims", "Claims", tables.claims(analysis) if listed else absent)


def samples(analysis: Analysis) -> Html:
    """What both models write after the same prompt."""
    prompts: dict[tuple[str, int], list[Any]] = {}
    drawn: Counter[tuple[str, str]] = Counter()
    for sample in items(analysis, "samples"):
        prompt, run = str(sample.get("prompt") or ""), str(sample.get("run"))
        # The first sample of one model stands beside the first of the other, the second beside the second.
        prompts.setdefault((prompt, drawn[run, prompt]), []).append(sample)
        drawn[run, prompt] += 1
    if not prompts:
        return section("samples", "Samples", element("p", "The study kept no samples.", class_="why"))
    return section(
        "samples",
        "Samples",
        [element("div", _cards(group), class_="pair") for group in prompts.values()],
    )


def _cards(group: list[Any]) -> list[Html]:
    """The samples of one prompt, one card each."""
    return [
        element(
            "article",
            element("h3", str(s.get("role") or s.get("run"))),
            element("p", element("b", str(s.get("prompt") or "")), str(s.get("text") or ""), class_="sample"),
            element("small", f"temperature {s.get('temperature')}, seed {s.get('seed')}, run {s.get('run')}"),
            class_="card",
        )
        for s in group
    ]


def runs(analysis: Analysis) -> Html:
    """The ledger of the study."""
    listed = items(analysis, "runs")
    lost = [r for r in listed if r.get("status") != "done"]
    words = f"{len(lost)} of {len(listed)} runs did not finish; their rows say why." if lost else None
    absent = element("p", "The analysis lists no runs.", class_="why")
    return section(
        "runs",
        "Runs",
        element("p", words, class_="why") if words else None,
        tables.runs(analysis) if listed else absent,
    )


def corpus(analysis: Analysis) -> Html:
    """What the models were trained on, and under which licences."""
    if not part(analysis, "corpus"):
        return section("corpus", "Corpus", element("p", reason(analysis, "corpus"), class_="why"))
    listed = items(analysis, "corpus", "subsets")
    return section("corpus", "Corpus", tables.corpus_facts(analysis), tables.corpus(analysis) if listed else None)


def how(analysis: Analysis) -> Html:
    """What made these numbers."""
    known = part(analysis, "how") or part(analysis, "model")
    absent = element("p", reason(analysis, "how"), class_="why")
    return section("how", "How it was run", tables.how(analysis) if known else absent)


def notes(analysis: Analysis) -> Html:
    """What a careful reader must know besides."""
    said = list(items(analysis, "notes"))
    for approach, label in forests.APPROACHES.items():
        said += [f"{label}: {note}" for note in items(analysis, "fits", approach, "notes")]
    listed = [element("li", prose(note)) for note in said]
    return section("notes", "Notes", element("ul", listed) if listed else element("p", "None."))


ORDER = (headline, glance, chinchilla, exponents, curves, claims, samples, runs, corpus, how, notes)


def body(analysis: Analysis) -> Html:
    """The whole page from the headline to the notes."""
    return joined(build(analysis) for build in ORDER)
