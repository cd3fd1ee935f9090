"""Figures as files: one a figure and format, and one clear line where nothing can draw them."""

import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hutch.reports.scaling import static
from hutch.runs.errors import BadInput, HutchError
from tests.reports.scaling.fit_documents import whole


class ChromeNotFoundError(RuntimeError):
    """As Kaleido's."""


class Browser:
    """A Kaleido that draws nothing: it returns what it was asked for."""

    started: dict[str, Any]

    def __init__(self, **options: Any) -> None:
        Browser.started = options

    async def __aenter__(self) -> "Browser":
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def calc_fig(self, figure: Any, opts: dict[str, Any]) -> bytes:
        size = f"{opts['format']} {opts['width']}x{opts['height']}@{opts['scale']}"
        return f"{figure['layout']['title']['text']}|{size}".encode()


def install(monkeypatch: pytest.MonkeyPatch, browser: Any) -> None:
    """Put a module in the place of Kaleido."""
    kaleido, errors = ModuleType("kaleido"), ModuleType("kaleido.errors")
    vars(kaleido)["Kaleido"], vars(errors)["ChromeNotFoundError"] = browser, ChromeNotFoundError
    monkeypatch.setitem(sys.modules, "kaleido", kaleido)
    monkeypatch.setitem(sys.modules, "kaleido.errors", errors)


def test_one_file_a_figure_and_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, Browser)
    document = whole()
    document["title"], document["drawing"]["curves"] = "<a & b>.csv", None
    paths = static.save_pictures(document, tmp_path / "pictures")
    assert {p.name for p in (tmp_path / "pictures").iterdir()} == {p.name for p in paths}
    assert {"isoflop.png", "isoflop.svg", "optimal-tokens.svg", "cloud.png", "holdout-loss.png"} <= {
        p.name for p in paths
    }
    assert "curves.png" not in {p.name for p in paths}
    drawn = (tmp_path / "pictures" / "isoflop.png").read_text()
    assert drawn.startswith("<b>IsoFLOP profiles</b>")
    assert "&lt;a &amp; b&gt;.csv" in drawn
    assert drawn.endswith("|png 900x564@2")
    assert Browser.started == {"mathjax": False}


def test_without_kaleido_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kaleido", None)
    with pytest.raises(BadInput, match=r"pip install 'hutch-lab\[pictures\]'.*page's own buttons") as caught:
        static.save_pictures(whole(), tmp_path)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_without_a_browser_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(**_: Any) -> None:
        raise ChromeNotFoundError

    install(monkeypatch, missing)
    with pytest.raises(BadInput, match="Chrome or Chromium"):
        static.save_pictures(whole(), tmp_path)


def test_a_browser_that_fails_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Browser):
        async def calc_fig(self, figure: Any, opts: dict[str, Any]) -> bytes:
            raise RuntimeError("the pipe\nis closed")

    install(monkeypatch, Broken)
    with pytest.raises(HutchError, match=r"drew no picture \(the pipe is closed\)"):
        static.save_pictures(whole(), tmp_path)


def test_unknown_formats_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="'bmp' is not known; one of png, svg, pdf"):
        static.save_pictures(whole(), tmp_path, formats=("png", "bmp"))


BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@pytest.mark.skipif(not any(map(shutil.which, BROWSERS)), reason="no browser on the PATH")
def test_a_real_browser_draws(tmp_path: Path) -> None:
    pytest.importorskip("kaleido")
    from hutch.reports.scaling.fit_figures import FIGURES
    from hutch.reports.themes import LIGHT

    figure = static.titled(FIGURES["isoflop"].draw(whole(), LIGHT), "IsoFLOP profiles", "sweep.csv")
    png, svg = static.save_figures({"isoflop": figure}, tmp_path, ("png", "svg"))
    assert png.read_bytes().startswith(b"\x89PNG")
    text = svg.read_text()
    assert text.startswith("<svg")
    assert "parameters" in text
    assert "sweep.csv" in text
