import pytest

from hutch.scaling.tables import read_runs

from .tables import refusal, write

TABLE = """N,D,loss,seed,size,note = x
1e9,1e10,3.0,,190M,a
1e9,2e10,2.9,1,190M-rerun,b
2e9,4e10,2.7,2,1B,
2e9,5e10,2.6,opt,1B,nan
"""


@pytest.mark.parametrize(
    ("where", "lines"),
    [
        ("N<=1e9", [2, 3]),
        ("N <= 1B", [2, 3]),
        ("N>1,000,000,000", [4, 5]),
        ("loss>=2.70", [2, 3, 4]),
        ("loss<2.7", [5]),
        ("loss=2.900", [3]),
        ("loss==2.900", [3]),
        ("loss!=2.9", [2, 4, 5]),
        ("seed=", [2]),
        ("seed!=", [3, 4, 5]),
        ("seed==", [2]),
        ("seed<=1", [3]),
        ("seed>0", [3, 4]),
        ("seed!=1", [2, 4, 5]),
        ("seed=opt", [5]),
        ("size=1B", [4, 5]),
        ("size=190M-rerun", [3]),
        ("size~(190M|1B)", [2, 4, 5]),
        ("size ~ .*-rerun", [3]),
        ("size~190", None),
        ("size<190M-", [2]),
        ("note = x=", [4, 5]),
        ("note = x!=a", [3, 4, 5]),
        (["N<=1e9", "seed="], [2]),
        (["N<=1e9", "N>1e9"], None),
        ([], [2, 3, 4, 5]),
    ],
)
def test_conditions(tmp_path, where, lines):
    path = write(tmp_path, TABLE)
    if lines is None:
        assert refusal(path, where=where).startswith("t.csv: no row of 4 has ")
    else:
        reading = read_runs(path, where=where)
        assert reading.runs.lines.tolist() == lines
        assert (reading.rows, reading.left_out) == (4, 4 - len(lines))


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("seed", "--where seed has none of <= >= != == = < > ~; write it like epochs<=1 or seed="),
        ("", "--where '' has none of"),
        ("epochs<=1", "t.csv has no column epochs to select by; it has N, D, loss, seed, size and note = x"),
        ("<=1", "t.csv has no column '' to select by"),
        ("size~(", "--where size~(: ( is no regular expression: missing ), unterminated subpattern at position 0"),
    ],
)
def test_what_is_no_condition(tmp_path, where, says):
    assert refusal(write(tmp_path, TABLE), where=[where]).startswith(says)


def test_rows_that_are_left_out_may_be_bad(tmp_path):
    path = write(tmp_path, "N,D,loss,set\n1e9,1e10,3,a\nx,,-1,b\n")
    assert len(read_runs(path, where=["set=a"]).runs) == 1


def test_where_must_leave_something(tmp_path):
    said = refusal(write(tmp_path, TABLE), where=["N<1", "seed="])
    assert said == "t.csv: no row of 4 has N<1 and seed="
