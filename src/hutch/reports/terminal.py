"""The end of a study on the terminal: the same results as the page, in 80 columns."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hutch.reports.forests import APPROACHES
from hutch.reports.formats import DASH, count, decimal, fine, percent, power, spread, two
from hutch.reports.reading import Analysis, interval, items, part, reason
from hutch.reports.verdicts import look

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table


def study_summary(analysis: Analysis, report: Any = None) -> "RenderableType":
    """Answer, figures, claims, for rich to print; `report` is the page's path."""
    from rich.console import Group
    from rich.text import Text

    pieces: list[Any] = [
        Text(str(analysis.get("title") or analysis.get("study") or "Study"), style="bold"),
        Text(str(analysis.get("answer") or "The analysis gives no answer.")),
        *(piece for table in _figures(analysis) for piece in (Text(""), table)),
        Text(""),
        _claims(items(analysis, "claims")),
    ]
    if report is not None:
        pieces += [Text(""), Text(f"report  {report}", overflow="fold")]
    return Group(*pieces)


def _figures(analysis: Analysis) -> "list[Table]":
    """The tables of the study's own."""
    if analysis.get("study") == "retrieval":
        from hutch.reports.retrieval import terminal as retrieval

        return retrieval.figures(analysis)
    return [_exponents(analysis), _measured(analysis)]


def plain_table(*heads: str) -> "Table":
    """A quiet table: no lines, dim headings."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for head in heads:
        table.add_column(head)
    return table


def _exponents(analysis: Analysis) -> "Table":
    """Ours with intervals, then the published ones."""
    from rich.text import Text

    at = interval(part(analysis, "fits", "profiles").get("a")).level
    table = plain_table("exponents of compute", "a (parameters)", "b (tokens)")
    if at:
        table.columns[0].header = f"exponents of compute, {percent(at)} intervals"
    for approach, label in APPROACHES.items():
        fit = part(analysis, "fits", approach)
        a, b = interval(fit.get("a")), interval(fit.get("b"))
        if a.known:
            table.add_row(Text(label, style="bold"), spread(a, two), spread(b, two))
        else:
            table.add_row(Text(label, style="bold"), Text(reason(analysis, "fits", approach), style="yellow"), "")
    for paper in items(analysis, "published"):
        table.add_row(Text(str(paper.get("name"))), two(paper.get("a")), two(paper.get("b")))
    return table


def _measured(analysis: Analysis) -> "Table":
    """What was predicted and then measured."""
    from rich.text import Text

    ahead, test = part(analysis, "extrapolation"), part(analysis, "chinchilla_test")
    table = plain_table("", "")
    table.show_header = False
    predicted = interval(ahead.get("loss_predicted"))
    if predicted.known:
        budget = power(ahead.get("budget"))
        loss = f"predicted {spread(predicted)}, measured {decimal(ahead.get('loss_measured'))}"
        table.add_row(f"held-out loss at {budget} FLOPs", Text(loss))
        sizes = spread(interval(ahead.get("parameters_predicted")), count)
        measured = interval(ahead.get("parameters_measured"))
        sizes += f", measured {spread(measured, count)}" if measured.known else ", no optimum measured"
        table.add_row(f"parameters at {budget} FLOPs", Text(f"predicted {sizes}"))
    else:
        table.add_row("extrapolation", Text(reason(analysis, "extrapolation"), style="yellow"))
    difference = interval(part(test, "overall").get("difference"))
    if difference.known:
        said = f": {test['verdict']}" if test.get("verdict") else ""
        table.add_row("optimal − Gopher-like", Text(f"{spread(difference, fine(difference))} bits per byte{said}"))
    else:
        table.add_row("Chinchilla test", Text(reason(analysis, "chinchilla_test"), style="yellow"))
    return table


def _claims(listed: Sequence[Mapping[str, Any]]) -> "RenderableType":
    """Each claim with its verdict."""
    from rich.text import Text

    if not listed:
        return Text("The analysis lists no claims.", style="yellow")
    table = plain_table("verdict", "claim")
    for claim in listed:
        verdict = str(claim.get("verdict"))
        shown = look(verdict)
        badge = Text(f"{shown.sign} {verdict}", style=shown.terminal, no_wrap=True)
        figures = f"published {claim.get('published') or DASH}; ours {claim.get('ours') or DASH}"
        name = claim.get("name") or claim.get("statement") or ""
        table.add_row(badge, Text(f"{name}\n").append(figures, style="dim"))
    return table


def claims_table(claims: Sequence[Mapping[str, Any]], width: int = 80) -> str:
    """The claims of a study as plain text of `width` columns: verdict, name, both figures."""
    from rich.console import Console

    console = Console(width=width, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(_claims(claims))
    return "\n".join(line.rstrip() for line in capture.get().splitlines())
