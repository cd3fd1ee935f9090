import numpy as np
import pytest

from hutch.scaling.tables import read_runs

from .tables import refusal, write

N, D = np.meshgrid([1e8, 3e8, 1e9], [2e9, 6e9])


def table(folder, factor, n_unit=1.0, d_unit=1.0, flops=None, names="N,D,C,loss"):
    flops = np.broadcast_to(factor * N * D if flops is None else flops, N.shape)
    rows = zip((N / n_unit).flat, (D / d_unit).flat, flops.flat, strict=True)
    return write(folder, f"{names}\n" + "".join(f"{n},{d},{c},{3 + i / 10}\n" for i, (n, d, c) in enumerate(rows)))


MEANT = "--derive flops for C = κ·N·D"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {"factor": 2},
            "C/(N·D) is 2 (median), not about 6; C looks to be the FLOP of the forward pass alone, a third of training"
            f": pass --flops-per-nd 2 if that is meant, or {MEANT}",
        ),
        ({"factor": 8.2}, "8.2 (median), not about 6; C looks to be FLOP with activations computed a second time"),
        ({"factor": 3}, "3 (median), not about 6; C looks to be multiply–adds, which are 2 FLOP each: pass --flops"),
        ({"factor": 1}, "1 (median), not about 6; C looks to be multiply–adds of the forward pass alone: pass"),
        (
            {"factor": 6.3 / 8.64e19},
            f"7.29e-20 (median), not about 6; C looks to be in PF-days, of 8.64e19 FLOP: pass {MEANT}",
        ),
        ({"factor": 6e-18}, f"6e-18 (median), not about 6; C looks to be in units of 1e18 FLOP: pass {MEANT}"),
        (
            {"factor": 6, "n_unit": 1e6},
            "6e+06 (median), not about 6; are N or D in units, together 1e6? Names such as params_M would say so",
        ),
        ({"factor": 6, "n_unit": 1e6, "d_unit": 1e9}, "are N or D in units, together 1e15?"),
        ({"factor": 0, "flops": 6 * N}, f"; C looks to be FLOP for each token: pass {MEANT}"),
        ({"factor": 14}, f"14 (median), not about 6: pass --flops-per-nd 14 if that is meant, or {MEANT}"),
    ],
)
def test_another_convention_is_refused_with_its_probable_cause(tmp_path, options, says):
    path = table(tmp_path, **options)
    said = refusal(path)
    assert said.startswith("t.csv: C/(N·D) is ")
    assert says in said
    assert read_runs(path, derive="flops").runs.flops_per_nd == 6


def test_the_convention_that_is_meant(tmp_path):
    path = table(tmp_path, 2)
    reading = read_runs(path, flops_per_nd=2)
    assert (reading.runs.flops_per_nd, reading.notes) == (pytest.approx(2), ())
    assert refusal(path, flops_per_nd=8) == (
        f"t.csv: C/(N·D) is 2 (median), not about 8 as --flops-per-nd says: pass 2, or {MEANT}"
    )
    assert refusal(path, flops_per_nd=-1) == "flops_per_nd is -1; a finite number above 0 is needed"


def test_units_in_names_are_applied_and_told(tmp_path):
    path = table(tmp_path, 6, n_unit=1e6, d_unit=1e9, names="params_M,tokens (billions),C,loss")
    reading = read_runs(path)
    assert reading.runs.parameters == pytest.approx(N.ravel())
    assert reading.runs.tokens == pytest.approx(D.ravel())
    assert reading.columns["tokens"] == "tokens (billions)"
    assert reading.notes == ("parameters: params_M × 1e+06", "tokens: tokens (billions) × 1e+09")


def test_a_finer_count_is_noted(tmp_path):
    factor = np.array([[7.2, 7.0, 6.8], [7.2, 7.0, 6.8]])
    (note,) = read_runs(table(tmp_path, factor)).notes
    assert note.startswith("C/(N·D) is 7 (median; 6.8 to 7.2), not 6: C, N and D are in the table's own count")
    assert read_runs(table(tmp_path, 6.1)).notes == ()


def test_a_row_that_contradicts_the_others(tmp_path):
    factor = np.array([[6, 6, 6], [6, 6, 55.0]])
    path = table(tmp_path, factor)
    said = "t.csv: 1 row cannot be used: line 7: C/(N·D) is 55, not about 6 (--drop-invalid leaves them out)"
    assert refusal(path) == said
    reading = read_runs(path, drop_invalid=True)
    assert (len(reading.runs), reading.notes) == (5, ())


def test_numbers_near_the_end_of_floats(tmp_path):
    path = write(tmp_path, "N,D,loss\n1e200,1e200,3\n1e-200,1e-200,3\n1e9,1e10,3\n1e400,1e10,3\n")
    said = "line 2: flops would be inf; line 3: flops would be 0; line 5: parameters is 1e400"
    assert said in refusal(path)
    huge = write(tmp_path, "N,D,C,loss\n1e200,1e200,6e300,3\n1e200,1e201,6e300,3\n", "u.csv")
    assert refusal(huge).startswith("u.csv: C/(N·D) is 3.3e-100 (median), not about 6")
