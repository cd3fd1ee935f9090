"""A plan on the terminal, in 100 columns."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hutch.reports.scaling import plan_words as words
from hutch.reports.scaling.plan_words import Document, Row

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table


def plan_summary(document: Document, report: Any = None) -> "RenderableType":
    """The plan for rich to print; `report` is the path of its page. Warnings are left to stderr."""
    from rich.console import Group
    from rich.text import Text

    pieces: list[Any] = [
        Text(words.answer(document), style="bold"),
        Text(f"for {words.asked(document)}, {words.laws(document)}", style="dim"),
        Text(""),
        _optimum(document),
        Text(""),
        _facts(document),
        Text(""),
        *_sizes(document),
        _rows(words.TENFOLD_HEADS, words.tenfold_rows(document)),
        Text(""),
        _rows(words.SUGGESTION_HEADS, words.suggestion_rows(document)),
        Text(""),
        _assumed(document),
    ]
    if report is not None:
        pieces += [Text(""), Text(f"report  {report}", overflow="fold")]
    return Group(*pieces)


def _optimum(document: Document) -> "Table":
    """The main figures; the reason for a missing interval once, where it is the same for several."""
    from rich.text import Text

    table = _bare()
    said: set[str] = set()
    for label, value, ends, reason in words.optimum_rows(document):
        note = reason if reason == "given" or reason not in said else ""
        said.add(reason)
        told = Text(ends) if ends else Text("")
        table.add_row(
            Text(label, style="dim"), Text(value, style="bold"), told.append(f" {note}" if ends else note, "dim")
        )
    return table


def _facts(document: Document) -> "Table":
    """Shape, time, memory, and what was asked beyond them."""
    from rich.text import Text

    table = _bare()
    blocks = {
        "shape": words.shape_lines(document),
        "time": words.time_lines(document),
        "memory": words.memory_lines(document),
        "served": words.served_lines(document),
        "limited data": words.limited_lines(document),
    }
    for label, lines in blocks.items():
        for order, line in enumerate(lines):
            table.add_row(Text("" if order else label, style="dim"), Text(line))
    return table


def _sizes(document: Document) -> list[Any]:
    """Other sizes at the same compute, or why they are not known."""
    from rich.text import Text

    rows = words.size_rows(document)
    if not rows:
        return [Text(f"other sizes: {words.why(document, 'other_sizes')}", style="yellow"), Text("")]
    return [_rows(words.SIZE_HEADS, rows), Text("")]


def _assumed(document: Document) -> "Table":
    from rich.text import Text

    table = _bare()
    for order, line in enumerate(document.get("assumptions") or ()):
        table.add_row(Text("" if order else "assumed", style="dim"), Text(line, style="dim"))
    return table


def _rows(heads: Sequence[str], rows: Sequence[Row]) -> "Table":
    """A table whose first column is words and whose others are figures, the last as wide as it likes."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for order, head in enumerate(heads):
        table.add_column(head, justify="left" if order == 0 or head == "measured on" else "right")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _bare() -> "Table":
    from rich.table import Table

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, min_width=12)
    return table
