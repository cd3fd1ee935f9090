"""The summary of a fit on the terminal."""

import re
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from hutch.reports.scaling.fit_terminal import fit_terminal
from tests.reports.scaling.fit_documents import whole, without


def printed(document: dict[str, Any]) -> str:
    console = Console(file=StringIO(), width=100)
    with console.capture() as capture:
        console.print(fit_terminal(document))
    return capture.get()


def test_summary_fits_100_columns_and_holds_the_numbers() -> None:
    document = whole()
    text = printed(document)
    assert max(map(len, text.splitlines())) <= 100
    fits = document["fits"]
    for approach in ("envelope", "isoflop", "parametric"):
        a = fits[approach]["a"]
        assert f"{a['value']:.4f} [{a['low']:.4f}, {a['high']:.4f}]" in text
    assert f"{fits['parametric']['E']['value']:.4f}" in text
    best = document["optima"][0]["fits"]["isoflop"]["parameters"]["value"]
    assert f"{best / 1e9:.3g}B [" in text
    error = document["holdout"]["fits"]["parametric"]["mean_absolute_error"]["value"]
    assert f"{100 * error:.3f} [" in text
    for told in ("80\u202f% intervals", "Kaplan", "0.73", "held out above 8×10¹⁸ FLOPs"):
        assert told in text
    assert "\x1b" not in text


def test_every_warning_is_printed() -> None:
    document = whole()
    flat = re.sub(r"\s+", " ", printed(document))
    for warning in (*document["warnings"], *document["table"]["notes"]):
        assert f"! {warning}" in flat


def test_markup_in_the_table_is_printed_as_it_is() -> None:
    document = whole()
    document["title"] = document["warnings"][0] = "[bold]x[/bold] [/]"
    document["reasons"], document["fits"]["envelope"] = {"envelope": "[red]no[/red]"}, None
    text = printed(document)
    assert text.count("[bold]x[/bold] [/]") == 2
    assert "approach 1 (training envelope): [red]no[/red]" in text


@pytest.mark.parametrize("part", ["runs", "fits", "reasons", "optima", "holdout", "warnings", "table", "title"])
def test_summary_stands_without(part: str) -> None:
    assert "exponents of compute C" in printed(without(whole(), part))


def test_summary_of_nothing() -> None:
    assert "No approach gave a law of the optimum." in printed({})
