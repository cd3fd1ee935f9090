"""The tables of the page: what the figures draw, exactly, and what they leave out."""

from collections.abc import Mapping, Sequence
from typing import Any

from hutch.reports.forests import APPROACHES
from hutch.reports.formats import DASH, count, decimal, duration, four, grouped, percent, power, spread, two
from hutch.reports.markup import Html, element, prose
from hutch.reports.reading import Analysis, Interval, interval, items, part, reason, run_named
from hutch.reports.verdicts import look


def badge(verdict: str) -> Html:
    """A verdict as a badge: a sign and the word, so that colour is never all there is."""
    shown = look(verdict)
    return element("span", f"{shown.sign} {verdict}", class_=f"badge {shown.page}")


def table(
    heads: Sequence[str],
    rows: Sequence[Any],
    *,
    caption: str,
    numeric: Sequence[int] = (),
    sortable: bool = False,
) -> Html:
    """A table that scrolls inside itself on narrow screens. Rows are sequences of cells or whole `<tr>`."""
    head = [
        element(
            "th",
            element("button", h, type="button") if sortable else h,
            scope="col",
            class_="n" if i in numeric else None,
        )
        for i, h in enumerate(heads)
    ]
    body = [
        row
        if isinstance(row, Html)
        else element("tr", [element("td", cell, class_="n" if i in numeric else None) for i, cell in enumerate(row)])
        for row in rows
    ]
    whole = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", head)),
        element("tbody", body),
        class_="sortable" if sortable else None,
    )
    return element("div", whole, class_="scroll", tabindex="0", role="region", aria_label=caption)


def exponents(analysis: Analysis) -> Html:
    """Both exponents by approach, ours and published; a refused fit says why in its row."""
    rows: list[Any] = []
    for approach, label in APPROACHES.items():
        fit = part(analysis, "fits", approach)
        if interval(fit.get("a")).known:
            rows.append((label, *(_unbroken(interval(fit.get(exponent))) for exponent in ("a", "b"))))
        else:
            why = element("td", reason(analysis, "fits", approach), colspan="2", class_="why")
            rows.append(element("tr", element("td", label), why))
    for paper in items(analysis, "published"):
        a = interval({"value": paper.get("a"), "low": paper.get("a_low"), "high": paper.get("a_high")})
        name = [str(paper.get("name")), element("small", prose(paper.get("source")), class_="under")]
        rows.append((name, _unbroken(a), decimal(paper.get("b"))))
    return table(("approach", "a (parameters)", "b (tokens)"), rows, caption="Exponents of compute", numeric=(1, 2))


def _unbroken(estimate: Interval) -> str:
    """An estimate that a narrow cell may break before its interval, never inside it."""
    return spread(estimate).replace(", ", ",\u00a0")


def both_models(analysis: Analysis) -> Html:
    """The two models of the Chinchilla test side by side."""
    test = part(analysis, "chinchilla_test")
    pair = [run_named(analysis, test.get("optimal")), run_named(analysis, test.get("gopher_like"))]
    lines: tuple[tuple[str, str, Any], ...] = (
        ("parameters", "parameters", grouped),
        ("training tokens", "tokens", grouped),
        ("tokens per parameter", "tokens_per_parameter", lambda v: decimal(v, 1)),
        ("training FLOPs", "flops", lambda v: power(v, 3)),
        ("held-out loss (nats per token)", "loss", decimal),
        ("bits per byte", "bits_per_byte", decimal),
        ("training time", "seconds", duration),
    )
    rows = [(label, *(form(run.get(key)) for run in pair)) for label, key, form in lines]
    heads = ("", "compute-optimal", "Gopher-like")
    return table(heads, rows, caption="The same compute, spent in two ways", numeric=(1, 2))


CLAIM_HEADS = ("verdict", "claim", "published", "ours", "why")


def claims(analysis: Analysis) -> Html:
    """Every claim with its source, both figures and the verdict."""
    rows = []
    for claim in items(analysis, "claims"):
        statement = [prose(claim.get("statement")), element("small", prose(claim.get("source")), class_="under")]
        figures = [prose(claim.get(key) or DASH) for key in ("published", "ours")]
        cells = (badge(str(claim.get("verdict"))), statement, *figures, prose(claim.get("why")))
        # On narrow screens a row becomes a card and each cell carries its heading.
        labelled = [element("td", c, data_label=h) for h, c in zip(CLAIM_HEADS, cells, strict=True)]
        rows.append(element("tr", labelled, id=claim_anchor(claim)))
    return table(CLAIM_HEADS, rows, caption="Each statement, its published figure, and ours")


def claim_anchor(claim: Mapping[str, Any]) -> str:
    """The fragment that names a claim on the page."""
    return "claim-" + "".join(c if c.isalnum() else "-" for c in str(claim.get("id") or claim.get("statement")))


RUN_HEADS = (
    "run", "role", "status", "budget", "layers", "width", "parameters", "tokens", "tokens / parameter",
    "epochs", "FLOPs", "held-out loss (nats per token)", "bits / byte", "tokens / s", "GFLOP/s", "time",
)  # fmt: skip


def runs(analysis: Analysis) -> Html:
    """Every run, also those that were lost, with the reason."""
    rows = [_run(run) for run in items(analysis, "runs")]
    caption = f"All {len(rows)} runs; a heading sorts"
    return table(RUN_HEADS, rows, caption=caption, numeric=range(3, len(RUN_HEADS)), sortable=True)


def _run(run: Mapping[str, Any]) -> Html:
    keys: tuple[tuple[str, Any], ...] = (
        ("budget", power), ("layers", grouped), ("width", grouped), ("parameters", count), ("tokens", count),
        ("tokens_per_parameter", lambda v: decimal(v, 1)), ("epochs", two),
        ("flops", lambda v: power(v, 3)), ("loss", four), ("bits_per_byte", decimal),
        ("tokens_per_second", grouped), ("gflops", lambda v: decimal(v, 1)), ("seconds", duration),
    )  # fmt: skip
    lost = run.get("status") in ("diverged", "failed")
    said = str(run.get("status") or DASH)
    status: list[Any] = [element("span", said, class_="badge bad") if lost else said]
    if run.get("error"):
        status.append(element("small", str(run["error"]), class_="under"))
    return element(
        "tr",
        element("td", element("code", str(run.get("id")))),
        element("td", str(run.get("role") or DASH)),
        element("td", status),
        [
            element("td", form(run.get(key)), class_="n", data_value="" if run.get(key) is None else run[key])
            for key, form in keys
        ],
        class_="lost" if lost else None,
    )


def corpus(analysis: Analysis) -> Html:
    """The subsets of the corpus with their licences."""
    rows = []
    for subset in items(analysis, "corpus", "subsets"):
        name: list[Any] = [str(subset.get("name"))]
        if subset.get("missing"):
            name.append(element("small", f"missing: {subset['missing']}", class_="under"))
        sizes = (
            subset.get(k) for k in ("documents", "train_tokens", "train_bytes", "holdout_documents", "holdout_bytes")
        )
        rows.append((name, subset.get("licence") or DASH, subset.get("source") or DASH, *map(count, sizes)))
    heads = (
        "subset",
        "licence",
        "source",
        "documents",
        "train tokens",
        "train bytes",
        "scored documents",
        "scored bytes",
    )
    return table(heads, rows, caption="Subsets of the corpus", numeric=range(3, 8))


def facts(pairs: Sequence[tuple[str, Any]]) -> Html:
    """Names and values; what is unknown is left out."""
    shown = [(name, value) for name, value in pairs if value not in (None, "", DASH)]
    return element("dl", [element("div", element("dt", n), element("dd", v)) for n, v in shown], class_="facts")


def how(analysis: Analysis) -> Html:
    """What made these numbers: the command, the machine, the versions, the time."""
    run, model = part(analysis, "how"), part(analysis, "model")
    memory, peak = run.get("peak_memory_mb"), run.get("peak_gflops")
    command = element("code", run["command"]) if run.get("command") else None
    return facts(
        [
            ("command", command), ("machine", run.get("machine")), ("precision", run.get("precision")),
            ("workers", run.get("workers")), ("wall time", duration(run.get("seconds"))),
            ("share spent training", percent(run.get("train_share"))),
            ("peak memory", None if memory is None else f"{memory:,.0f} MB"),
            ("peak speed measured", None if peak is None else f"{peak:,.0f} GFLOP/s"),
            ("git", run.get("git")), ("Python", run.get("python")), ("torch", run.get("torch")),
            ("started", run.get("started")), ("finished", run.get("finished")),
            ("context", model.get("context")), ("positions", model.get("positions")),
            ("tokens per batch", model.get("batch_tokens")), ("learning rate", model.get("learning_rate")),
            ("learning rate of embeddings", model.get("embedding_rate")),
            ("schedule", model.get("schedule")), ("optimizer", model.get("optimizer")),
            ("sizes and rates", model.get("sizes_and_rates")),
        ]
    )  # fmt: skip


def corpus_facts(analysis: Analysis) -> Html:
    """The corpus as a whole."""
    whole = part(analysis, "corpus")
    epochs, per_token = whole.get("max_epochs"), whole.get("bytes_per_token")
    return facts(
        [
            ("training tokens", count(whole.get("train_tokens"))),
            ("vocabulary", grouped(whole.get("vocabulary"))),
            ("bytes per token", two(per_token)), ("most epochs of any run", two(epochs)),
            ("duplicates removed", grouped(whole.get("duplicates_removed"))),
        ]
    )  # fmt: skip
