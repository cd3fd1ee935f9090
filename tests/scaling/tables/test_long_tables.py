import numpy as np
import pytest

from hutch.runs.errors import BadInput
from hutch.scaling.tables import read_runs

from .tables import refusal, write

LONG = """run,N,D,loss
a,1e8,1e9,4
b,2e8,3e9,3.25
a,1e8,2e9,3.5
b,2e8,2e9,3.5
a,1e8,4e9,3.25
"""


def test_the_rows_of_a_run_are_its_curve(tmp_path):
    reading = read_runs(write(tmp_path, LONG), curves=True)
    runs = reading.runs
    assert (len(runs), reading.rows, reading.dropped, reading.notes) == (2, 5, (), ())
    assert (runs.parameters.tolist(), runs.tokens.tolist(), runs.loss.tolist()) == (
        [1e8, 2e8],
        [4e9, 3e9],
        [3.25, 3.25],
    )
    assert runs.lines.tolist() == [6, 3]
    first, second = runs.curves
    assert (first.parameters, second.parameters) == (1e8, 2e8)
    assert (second.tokens.tolist(), second.loss.tolist()) == ([2e9, 3e9], [3.5, 3.25])
    assert first.flops == pytest.approx(6e8 * np.array([1e9, 2e9, 4e9]))
    assert runs.select([1]).curves == (second,)


def test_without_being_asked_rows_are_runs_and_that_is_noted(tmp_path):
    rows = "".join(f"{run},{n}e8,{d}e9,{3 + d / 10}\n" for n, run in enumerate("ab", 1) for d in range(1, 5))
    reading = read_runs(write(tmp_path, f"run,N,D,loss\n{rows}"))
    assert (len(reading.runs), reading.runs.curves) == (8, None)
    assert reading.notes == (
        "8 rows name 2 runs; each row is taken for a run, --curves takes a run's rows for its curve",
    )


def test_many_rows_a_run_are_refused_as_runs(tmp_path):
    rows = "".join(f"{run},{n}e8,{d}e9,{3 + 1 / d}\n" for n, run in enumerate("ab", 1) for d in range(1, 21))
    path = write(tmp_path, f"run,N,D,loss\n{rows}")
    with pytest.raises(BadInput, match="40 rows name 2 runs: these look like points of training curves"):
        read_runs(path)
    assert len(read_runs(path, curves=True).runs) == 2


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("a,1e8,2e9,3\n", "line 7: tokens are those of line 4 of the same run"),
        ("a,1.1e8,8e9,3\n", "line 7: parameters are not those of line 2 of the same run"),
        ("c,1e8,8e9,3\n", "line 7: run c has one point; a curve needs two"),
        (",1e8,8e9,3\n", "line 7: run is empty"),
        ("a,1e8,0,3\n", "line 7: tokens is 0"),
        ("c,1e8,1e9,3\nc,1e8,1e9,3\n", "line 7: run c has one point; a curve needs two; line 8: tokens are those of"),
    ],
)
def test_points_that_fit_in_no_curve(tmp_path, rows, says):
    path = write(tmp_path, LONG + rows)
    assert says in refusal(path, curves=True)
    reading = read_runs(path, curves=True, drop_invalid=True)
    assert (len(reading.runs), len(reading.dropped)) == (2, rows.count("\n"))


def test_flops_must_rise_with_tokens(tmp_path):
    path = write(tmp_path, "run,N,D,C,loss\na,1e8,1e9,6e17,4\na,1e8,1.1e9,5.9e17,3\na,1e8,2e9,1.2e18,3\n")
    assert "line 3: more tokens than line 2 of the same run, and no more FLOP" in refusal(path, curves=True)


def test_curves_need_runs(tmp_path):
    path = write(tmp_path, LONG.replace("run,", "trial,"))
    assert refusal(path, curves=True) == (
        "t.csv: curves need a column that tells the runs apart: name it with --run; its columns are trial, N, D and "
        "loss"
    )
    assert len(read_runs(path, curves=True, columns={"run": "trial"}).runs) == 2
    single = write(tmp_path, "run,N,D,loss\na,1e8,1e9,4\nb,1e8,1e9,4\n", "u.csv")
    said = "u.csv: no row can be used: line 2: run a has one point; a curve needs two; line 3: run b has one point; a c"
    assert refusal(single, curves=True, drop_invalid=True).startswith(said)
