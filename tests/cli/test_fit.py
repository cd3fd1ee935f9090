"""`hutch fit` as a user meets it: the published checks, and one line for each mistake."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from hutch.cli.main import main
from hutch.scaling.fits.saved import load_fit
from hutch.scaling.laws import ParametricLaw

from ..scaling.shared_tables import table_path

LAW = ParametricLaw(E=1.8, A=480.0, B=2000.0, alpha=0.36, beta=0.34)


def rows_of(budgets=5, noise=3e-3):
    random = np.random.default_rng(0)
    rows = []
    for compute in np.geomspace(1e18, 1e20, budgets):
        for factor in np.geomspace(0.25, 4, 7):
            n = float(LAW.n_opt(compute)) * factor
            d = compute / 6 / n
            rows.append([n, d, compute, LAW.loss(n, d) * np.exp(noise * random.normal())])
    return rows


def write(path, rows, header=("params", "tokens", "flops", "loss")):
    with path.open("w", newline="") as handle:
        csv.writer(handle).writerows([header, *rows])
    return str(path)


@pytest.fixture
def table(tmp_path):
    return write(tmp_path / "runs.csv", rows_of())


def run(capsys, *arguments):
    try:
        code = main(["fit", *map(str, arguments)])
    except SystemExit as stop:
        code = stop.code
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def document(capsys, *arguments):
    code, out, _ = run(capsys, *arguments, "--json")
    assert code == 0
    return json.loads(out)


@pytest.mark.parametrize(
    ("drop", "objective", "constants", "a"),
    [
        (5, 0.00101827401780060, (1.8172, 477.83, 2143.4, 0.34731, 0.36717), 0.51390),
        (0, 0.00182601052307, None, 0.56464),
    ],
)
def test_the_digitised_points_of_chinchilla(capsys, drop, objective, constants, a):
    path = table_path("chinchilla_epoch245.csv")
    found = document(capsys, path, "--approach", "parametric", "--drop-top-loss", drop, "--bootstrap", 300)
    fit = found["fits"]["parametric"]
    assert fit["objective"] == pytest.approx(objective, rel=1e-9)
    assert fit["a"]["value"] == pytest.approx(a, abs=1e-5)
    if constants:
        names = ("E", "A", "B", "alpha", "beta")
        assert [fit[name]["value"] for name in names] == pytest.approx(constants, rel=3e-5)
        published = (1.81686, 482.00572, 2085.4342, 0.34781, 0.36585)
        for name, figure in zip(names, published, strict=True):
            assert abs(fit[name]["value"] - figure) < fit["standard_errors"][name]


def test_the_profiles_of_llama_3(capsys):
    found = document(capsys, table_path("llama3_isoflop.csv"), "--approach", "isoflop", "--bootstrap", 100)
    fit = found["fits"]["isoflop"]
    assert fit["b"]["value"] == pytest.approx(0.537, abs=5e-4)
    assert fit["k_d"]["value"] == pytest.approx(0.299, abs=5e-4)


def test_the_profiles_of_chinchilla_by_their_budgets(capsys):
    """The budgets' column for C, tokens from 6ND: 129 rows, of which 1e20 has its minimum at the edge."""
    path = table_path("chinchilla_epoch245.csv")
    options = ("--flops", "isoflop_budget", "--derive", "tokens", "--drop-invalid", "--bootstrap", 50)
    found = document(capsys, path, "--approach", "isoflop", *options)
    assert len(found["runs"]["loss"]) == 129
    assert len(found["table"]["dropped"]) == 116
    fit = found["fits"]["isoflop"]
    assert fit["a"]["value"] == pytest.approx(0.49448, abs=5e-6)
    (refused,) = [profile for profile in fit["profiles"] if not profile["used"]]
    assert refused["budget"] == 1e20
    assert "edge of the sizes tried" in refused["reason"]


def test_all_that_the_table_carries_is_fitted(capsys, table):
    found = document(capsys, table, "--at", "1e21,5.76e23", "--holdout-above", "5e19", "--bootstrap", 100)
    assert set(found["fits"]) == {"envelope", "isoflop", "parametric"}
    assert set(found["reasons"]) == {"envelope"}
    assert "training curves" in found["reasons"]["envelope"]
    for name in ("isoflop", "parametric"):
        assert found["fits"][name]["a"]["value"] == pytest.approx(LAW.a, abs=0.03)
    at = found["optima"][1]["fits"]["parametric"]
    assert at["parameters"]["low"] < LAW.n_opt(5.76e23) < at["parameters"]["high"]
    assert any("5.76e+23 FLOP is 3.8 orders of magnitude above" in warning for warning in found["warnings"])
    held = found["holdout"]["fits"]
    assert held["parametric"]["mean_absolute_error"]["value"] < 0.01
    assert set(held) == {"isoflop", "isoflop_loss", "parametric"}


def test_equal_commands_give_equal_documents(capsys, table):
    one, two = (run(capsys, table, "--json", "--bootstrap", 50)[1] for _ in range(2))
    assert one == two


def test_runs_can_be_drawn_with_replacement(capsys, table):
    smooth, pairs = (document(capsys, table, "--bootstrap", 200, *flag)["fits"] for flag in ((), ("--pairs",)))
    for name in ("isoflop", "parametric"):
        assert smooth[name]["a"]["value"] == pairs[name]["a"]["value"]
        assert smooth[name]["a"]["low"] != pairs[name]["a"]["low"]


def test_curves_give_the_envelope(capsys, tmp_path):
    rows = [
        [f"run{index}", n, tokens, 6 * n * tokens, LAW.loss(n, tokens)]
        for index, n in enumerate(np.geomspace(1e7, 1e9, 9))
        for tokens in np.linspace(1e7, 600 * n, 90)
    ]
    path = write(tmp_path / "curves.csv", rows, ("run", "params", "tokens", "flops", "loss"))
    found = document(capsys, path, "--approach", "envelope", "--window", 1, "--bootstrap", 50)
    assert found["fits"]["envelope"]["a"]["value"] == pytest.approx(LAW.a, abs=0.08)


def test_least_squares_ties_and_priors_are_options(capsys, table):
    squares = document(capsys, table, "--approach", "parametric", "--least-squares", "--bootstrap", 0)
    assert squares["options"]["delta"] == "infinite"
    assert squares["fits"]["parametric"]["residuals"] == "raw"
    tied = document(capsys, table, "--approach", "parametric", "--tied", "--bootstrap", 0)["fits"]["parametric"]
    assert tied["alpha"]["value"] == tied["beta"]["value"]
    held = document(capsys, table, "--approach", "parametric", "--fix-e", 1.7, "--bootstrap", 0)["fits"]["parametric"]
    assert held["E"]["value"] == pytest.approx(1.7)
    prior = ("--prior-e", "1.7,0.01", "--bootstrap", 0)
    assert document(capsys, table, "--approach", "parametric", *prior)["fits"]["parametric"]["E"]["value"] < 1.81


def test_a_law_is_saved_for_plans(capsys, table, tmp_path):
    law = tmp_path / "law.json"
    code, out, err = run(capsys, table, "--approach", "parametric", "--save", law, "--json", "--bootstrap", 50)
    assert (code, "law: " in err) == (0, True)
    assert load_fit(law).a.as_dict() == json.loads(out)["fits"]["parametric"]["a"]


def test_the_terminal_shows_the_law(capsys, table):
    code, out, _ = run(capsys, table, "--bootstrap", 50)
    assert code == 0
    assert "10× the compute" in out
    assert "exponent of tokens, β" in out


def test_a_page_is_written(capsys, table, tmp_path):
    code, _, err = run(capsys, table, "--bootstrap", 50, "--report", tmp_path / "fit.html")
    assert (code, "page: " in err) == (0, True)
    page = (tmp_path / "fit.html").read_text()
    assert "<html" in page
    assert "runs.csv" in page


@pytest.mark.parametrize(
    ("change", "options", "says"),
    [
        (lambda rows: rows[:21], ("--approach", "isoflop"), "no law: isoflop: 3 of 3 budgets usable"),
        (lambda rows: rows[:5], ("--approach", "parametric"), "5 runs; the five constants need at least 6"),
        (
            lambda rows: [[1e8, d, 6e8 * d, 3.0] for _, d, _, _ in rows],
            ("--approach", "parametric"),
            "1 distinct value",
        ),
        (lambda rows: [[n, d, c / 3, x] for n, d, c, x in rows], (), "FLOP of the forward pass alone"),
        (lambda rows: [*rows[:3], [1e8, "nan", 1e18, 3.0], *rows[3:]], (), "line 5: tokens is nan (--drop-invalid"),
        (lambda rows: [[n, d, c, 8 - x] for n, d, c, x in rows], ("--approach", "parametric"), "do not fall"),
        (lambda rows: rows, ("--approach", "parametric", "--fix-e", 9), "E must lie below every loss"),
        (lambda rows: rows, ("--approach", "envelope"), "--run"),
        (lambda rows: rows, ("--delta", "nan"), "delta is nan"),
        (lambda rows: rows, ("--level", 2), "level is 2"),
        (lambda rows: rows, ("--at", "-1"), "at is -1"),
        (lambda rows: rows, ("--at", "many"), "'many' is not a number such as 3e12 or 70B"),
        (lambda rows: rows, ("--prior-e", "1.7"), "not a mean and a deviation"),
        (lambda rows: rows, ("--drop-top-loss", 99), "leaves none of 35 rows"),
        (lambda rows: rows, ("--loss", "nope"), "has no column nope; its columns are params, tokens, flops and loss"),
        (lambda rows: rows, ("--save", "x.json"), "--save keeps one law"),
        (lambda rows: rows, ("--approach", "kaplan"), "invalid choice: 'kaplan'"),
        (lambda rows: rows, ("--subsample", "nan"), "subsample is nan"),
        (lambda rows: rows, ("--fix-e", 5), "E must lie below every loss"),
        (lambda rows: rows, ("--window", "nan"), "window is nan"),
        (lambda rows: rows, ("--minimum-budgets", 0), "minimum-budgets is 0"),
        (lambda rows: rows, ("--last-part", 2), "last-part is 2"),
        (lambda rows: rows, ("--holdout-above", 1e30), "parts no runs from others"),
        (lambda rows: rows, ("--save", "/nowhere/law.json"), "there is no folder /nowhere"),
        (lambda rows: rows, ("--report", "/proc/fit.html"), "cannot be written"),
        (lambda rows: rows, ("--pictures", "/proc/pictures"), "is no folder that can be written"),
        (
            lambda rows: [[n, 20 * n, 120 * n * n, LAW.loss(n, 20 * n)] for n, *_ in rows],
            ("--approach", "parametric"),
            "tokens follow parameters in every run",
        ),
    ],
)
def test_a_mistake_is_one_line(capsys, tmp_path, change, options, says):
    path = write(tmp_path / "runs.csv", change(rows_of()))
    code, out, err = run(capsys, path, "--bootstrap", 20, *options)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert says in err
    assert err.startswith("hutch")


@pytest.mark.parametrize("flag", ["--save", "--report"])
def test_the_table_is_never_written_over(capsys, table, flag):
    before = Path(table).read_text()
    code, out, err = run(capsys, table, "--approach", "parametric", flag, table)
    assert (code, out) == (2, "")
    assert "is the table itself" in err
    assert Path(table).read_text() == before


def test_one_file_is_not_asked_to_hold_two_things(capsys, table, tmp_path):
    both = tmp_path / "both"
    code, _, err = run(capsys, table, "--approach", "parametric", "--save", both, "--report", both)
    assert (code, "is the file of --save itself" in err) == (2, True)


def test_approaches_that_contradict_each_other_are_named(capsys):
    found = document(capsys, table_path("chinchilla_epoch245.csv"), "--budget", "isoflop_budget", "--bootstrap", 200)
    assert any("contradict each other: a is 0.49" in warning for warning in found["warnings"])


def test_few_runs_get_no_interval(capsys, tmp_path):
    path = write(tmp_path / "runs.csv", rows_of()[::4])
    fit = document(capsys, path, "--approach", "parametric")["fits"]["parametric"]
    assert fit["runs"] == 9
    assert (fit["a"]["low"], fit["a"]["high"]) == (None, None)
    assert any("9 runs are too few to resample for 5 constants" in note for note in fit["notes"])


def test_a_loss_in_another_unit_is_not_called_nats(capsys, tmp_path):
    path = write(tmp_path / "runs.csv", rows_of(), ("params", "tokens", "flops", "val_bpb"))
    found = document(capsys, path, "--loss", "val_bpb", "--approach", "parametric", "--bootstrap", 0)
    assert found["table"]["units"] == {"loss": "as in the table"}


def test_runs_that_repeat_their_data_are_noted(capsys):
    found = document(capsys, table_path("datablations_c4.csv"), "--approach", "parametric", "--bootstrap", 0)
    assert any("repeat their data (column D_unique, up to 9e+03 epochs)" in note for note in found["table"]["notes"])


def test_invalid_rows_can_be_dropped(capsys, tmp_path):
    rows = rows_of()
    path = write(tmp_path / "runs.csv", [*rows[:3], [1e8, "", 1e18, 3.0], *rows[3:]])
    found = document(capsys, path, "--drop-invalid", "--bootstrap", 20)
    assert found["table"]["dropped"] == [{"line": 5, "reason": "tokens is empty"}]
