"""The terminal: the live view at its widths, plain lines in logs, the summary in 80 columns."""

import re
import subprocess
import sys
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from hutch.reports.live import LiveView, epitaph, screen
from hutch.reports.terminal import claims_table, study_summary
from hutch.runs.progress import RunProgress, StudySnapshot


def snapshot(running: int = 3, done: int = 9, lost: int = 1) -> StudySnapshot:
    """A study in the middle of its work."""
    runs = [
        RunProgress(
            run_id=f"r{i}", label=f"1e15 FLOPs, {i + 1}.2M parameters in 12 layers",
            status="running", step=120 * (i + 1),
            steps=1200, tokens=10**6, loss=4.321, tokens_per_second=41234.0, flops_per_second=4e10,
        )
        for i in range(running)
    ]  # fmt: skip
    runs += [
        RunProgress(run_id=f"d{i}", label=f"1e14 FLOPs, {i}M", status="done", tokens=10**6, loss=5.0)
        for i in range(done)
    ]
    runs += [
        RunProgress(run_id=f"x{i}", label="1e14 FLOPs, 9M", status="diverged", note="[bold] loss is not finite\nmore")
        for i in range(lost)
    ]
    return StudySnapshot(
        title="Compute-optimal training", runs=tuple(runs), done=done + lost, total=20, flops_done=3e15,
        flops_total=1e16, elapsed_s=75.0, seconds_left=180.0, peak_flops_per_second=8.8e10,
    )  # fmt: skip


def frame(shown: StudySnapshot, width: int) -> list[str]:
    console = Console(file=StringIO(), width=width)
    ended = [r.run_id for r in shown.runs if r.status != "running"]
    with console.capture() as capture:
        console.print(screen(shown, ended))
    return capture.get().splitlines()


@pytest.mark.parametrize("width", [80, 120])
def test_frame_shows_the_study_within_its_width(width: int) -> None:
    lines = frame(snapshot(), width)
    text = "\n".join(lines)
    assert max(map(len, lines)) <= width
    for told in ("Compute-optimal training", "10 of 20 runs", "30", "1 min 15 s elapsed, 3 min 00 s left"):
        assert told in text
    for told in (
        "120/1200",
        "4.321",
        "41.2k",
        "45\u202f%",
        "✗ 1e14 FLOPs, 9M  diverged: [bold] loss is not finite",
    ):
        assert told in text


@pytest.mark.parametrize("running", [0, 1, 6, 40])
def test_frame_never_changes_height(running: int) -> None:
    assert len(frame(snapshot(running, done=running, lost=running), 80)) == len(frame(snapshot(), 80))


def test_frame_before_anything_is_known() -> None:
    empty = StudySnapshot(
        title="t", runs=(), done=0, total=0, flops_done=0, flops_total=0, elapsed_s=0, seconds_left=None,
        peak_flops_per_second=None,
    )  # fmt: skip
    assert "estimating the time left" in "\n".join(frame(empty, 80))


def test_log_gets_one_plain_line_for_each_finished_run() -> None:
    out = StringIO()
    with LiveView(Console(file=out, width=40)) as view:
        view.update(snapshot(done=1, lost=0))
        view.update(snapshot(done=1, lost=0))
        view.update(snapshot(done=2, lost=1))
    lines = out.getvalue().splitlines()
    assert lines[0] == "[1/20] 1e14 FLOPs, 0M done: loss 5.000, 1M tokens"
    assert lines[1:] == [
        "[2/20] 1e14 FLOPs, 1M done: loss 5.000, 1M tokens",
        "[3/20] 1e14 FLOPs, 9M diverged: [bold] loss is not finite more",
    ]
    assert "\x1b" not in out.getvalue()


def test_terminal_keeps_one_line_when_the_view_goes() -> None:
    out = StringIO()
    with LiveView(Console(file=out, width=80, height=40, force_terminal=True)) as view:
        view.update(snapshot())
    assert epitaph(snapshot()) == "Compute-optimal training: 10 of 20 runs in 1 min 15 s, 1 lost"
    assert out.getvalue().rstrip().endswith(epitaph(snapshot()))


def test_a_retried_run_is_told_at_each_of_its_ends() -> None:
    out = StringIO()
    with LiveView(Console(file=out, width=80)) as view:
        for lost, running in ((1, 0), (0, 1), (1, 0)):
            view.update(snapshot(running, done=0, lost=lost))
    assert [line.split(":")[0] for line in out.getvalue().splitlines()] == ["[1/20] 1e14 FLOPs, 9M diverged"] * 2


@pytest.mark.parametrize("terminal", [True, False])
def test_messages_come_before_between_and_after_snapshots(terminal: bool) -> None:
    out = StringIO()
    with LiveView(Console(file=out, width=80, height=40, force_terminal=terminal)) as view:
        view.message("building the corpus")
        view.update(snapshot())
        view.message("drawing the page")
    assert "building the corpus" in out.getvalue()
    assert "drawing the page" in out.getvalue()


def test_claims_table_is_plain_text(analysis: dict[str, Any]) -> None:
    text = claims_table(analysis["claims"])
    assert max(map(len, text.splitlines())) <= 80
    assert "✓ reproduced" in text
    assert "N ∝ C^0.73 (Kaplan)" in text
    assert "\x1b" not in text


def test_default_console_is_stderr() -> None:
    assert LiveView().console.stderr


def printed(analysis: dict[str, Any]) -> str:
    console = Console(file=StringIO(), width=80)
    with console.capture() as capture:
        console.print(study_summary(analysis, "/studies/x/report.html"))
    return capture.get()


def test_summary_fits_80_columns(analysis: dict[str, Any]) -> None:
    text = printed(analysis)
    assert max(map(len, text.splitlines())) <= 80
    for told in (
        "0.45 [0.41, 0.49]",
        "Kaplan",
        "measured 4.114",
        "−0.090",
        "✗ contradicted",
        "report.html",
    ):
        assert told in text


def test_summary_says_why(refused_analysis: dict[str, Any]) -> None:
    text = re.sub(r"\s+", " ", printed(refused_analysis))
    assert "chinchilla_test: fewer than three profiles" in text
    assert "envelope: fewer than three" in text


def test_summary_of_nothing() -> None:
    assert "The analysis lists no claims." in printed({})


def test_importing_reports_is_cheap() -> None:
    code = "import sys, hutch.reports; print(*{'plotly', 'rich', 'numpy', 'torch'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""
