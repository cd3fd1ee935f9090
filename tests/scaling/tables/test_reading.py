import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hutch.scaling.run_table import RunTable
from hutch.scaling.tables import Dropped, read_runs

from ..shared_tables import table_path
from .tables import refusal, write


def test_two_sizes_give_the_third(tmp_path):
    flops = read_runs(write(tmp_path, "params,tokens,loss\n1e9,2e10,2.5\n"))
    assert (flops.runs.flops.tolist(), flops.columns["flops"]) == ([1.2e20], "6 × parameters × tokens")
    tokens = read_runs(write(tmp_path, "params,compute,loss\n1e9,1.2e20,2.5\n"), flops_per_nd=8)
    assert (tokens.runs.tokens.tolist(), tokens.columns["tokens"]) == ([1.5e10], "flops / (8 × parameters)")
    size = read_runs(write(tmp_path, "tokens,compute,loss\n2e10,1.2e20,2.5\n"))
    assert (size.runs.parameters.tolist(), size.columns["parameters"]) == ([1e9], "flops / (6 × tokens)")


def test_integers_do_not_overflow(tmp_path):
    runs = read_runs(write(tmp_path, "N,D,loss\n70000000000,1400000000000,1.9\n")).runs
    assert runs.flops.tolist() == [5.88e23]


def test_a_column_that_is_named_wins_over_its_likes(tmp_path):
    path = write(tmp_path, "N,size,D,loss,pile\n1,1e9,2e10,3,2.5\n2,2e9,2e10,3,2.25\n")
    reading = read_runs(path, columns={"parameters": "size", "loss": "pile"})
    assert (reading.runs.parameters.tolist(), reading.runs.loss.tolist()) == ([1e9, 2e9], [2.5, 2.25])
    assert reading.columns == {
        "parameters": "size",
        "tokens": "D",
        "loss": "pile",
        "flops": "6 × parameters × tokens",
    }


def test_equally_good_columns_must_hold_the_same(tmp_path):
    same = read_runs(write(tmp_path, "N,params,D,loss\n1e9,1B,2e10,3\n,,2e10,3\n"), drop_invalid=True)
    assert (same.columns["parameters"], same.notes) == ("N", ("parameters: N; params holds the same",))
    path = write(tmp_path, "N,D,loss,val_loss\n1e9,2e10,3,3\n2e9,2e10,2.5,2.75\n")
    assert refusal(path) == (
        "t.csv: loss and val_loss are both named like loss and differ (line 3: 2.5 and 2.75); choose one with --loss"
    )
    assert read_runs(path, columns={"loss": "val_loss"}).runs.loss.tolist() == [3, 2.75]


def test_what_to_know_of_the_columns(tmp_path):
    reading = read_runs(write(tmp_path, "non_embedding_params,tokens,train_loss\n1e9,2e10,3\n"))
    assert reading.notes == (
        "parameters: non_embedding_params, which leaves the embedding out of N",
        "loss: train_loss, the loss on training text, not on held-out text",
    )
    reading = read_runs(write(tmp_path, "N,non_embedding_params,tokens,train_loss,val_loss\n1e9,9e8,2e10,2.9,3\n"))
    assert reading.notes == ("parameters: N, not non_embedding_params", "loss: val_loss, not train_loss")


def test_rows_that_cannot_be_used(tmp_path):
    path = write(
        tmp_path,
        "N,D,C,loss,budget\n"
        "1e9,1e9,6e18,3,6e18\n"
        "1e9,1e9,6e18,2.9,\n"
        "1e9,1e9,6e18,,6e18\n"
        "1e9,2e9,1.2e19,inf,6e18\n"
        "1e9,-1,6e18,3,6e18\n"
        "big,1e9,6e18,3,6e18\n"
        "1e9,2e9,1.2e19,2.8,-3\n"
        "1e9,1e9,5.5e19,3,6e18\n",
    )
    assert refusal(path) == (
        "t.csv: 6 rows cannot be used: line 4: loss is empty; line 5: loss is inf; line 6: tokens is -1; and 3 more "
        "(--drop-invalid leaves them out)"
    )
    reading = read_runs(path, drop_invalid=True)
    assert reading.dropped == (
        Dropped(line=4, reason="loss is empty"),
        Dropped(line=5, reason="loss is inf"),
        Dropped(line=6, reason="tokens is -1"),
        Dropped(line=7, reason="parameters is big, not a number"),
        Dropped(line=8, reason="budget is -3"),
        Dropped(line=9, reason="C/(N·D) is 55, not about 6"),
    )
    assert reading.runs.lines.tolist() == [2, 3]
    assert (reading.runs.budget[0], np.isnan(reading.runs.budget[1])) == (6e18, True)
    assert refusal(write(tmp_path, "N,D,loss\n1,2,\n0,1,1\n"), drop_invalid=True) == (
        "t.csv: no row can be used: line 2: loss is empty; line 3: parameters is 0"
    )


def test_equal_rows_are_noted(tmp_path):
    rows = "1e9,2e10,3\n1e9,2e10,3.1\n1e9,2e10,3\n2e9,2e10,3\n1e9,2e10,3.1\n1e9,20B,3\n"
    reading = read_runs(write(tmp_path, f"N,D,loss\n{rows}"))
    assert len(reading.runs) == 6
    assert reading.notes == ("equal runs are counted as independent: lines 2, 4 and 7; 3 and 6",)


def test_a_budget_that_was_not_spent_is_noted(tmp_path):
    reading = read_runs(write(tmp_path, "N,D,loss,budget\n1e9,1e9,3,3e18\n1e9,2e9,3,\n"))
    assert reading.notes == ("the median run spent 2 times its budget",)


def test_the_reading_as_json(tmp_path):
    path = write(tmp_path, "N,D,loss\n1e9,2e10,3\n1e9,2e10,\n1e8,1e9,4\n")
    told = read_runs(path, where=["N>5e8"], drop_invalid=True).as_dict()
    assert json.loads(json.dumps(told)) == {
        "source": str(path),
        "columns": {"parameters": "N", "tokens": "D", "loss": "loss", "flops": "6 × parameters × tokens"},
        "rows": 3,
        "left_out": 1,
        "units": {"loss": "nats per token"},
        "dropped": [{"line": 3, "reason": "loss is empty"}],
        "runs": 1,
        "flops_per_nd": 6.0,
        "notes": [],
    }


TABLE = "size,N,D,pile\n1B,1e9,2e10,3\n"


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        (TABLE, {}, "t.csv: no column is named like a loss: name one with --loss; its columns are size, N, D and pile"),
        (TABLE, {"columns": {"loss": "c4"}}, "t.csv has no column c4; its columns are size, N, D and pile"),
        (
            TABLE,
            {"columns": {"los": "pile"}},
            "los is no role of a column; the roles are parameters, tokens, flops, loss, budget and run",
        ),
        (TABLE, {"derive": "loss"}, "loss cannot be derived; choose one of parameters, tokens, flops"),
        (
            TABLE,
            {"derive": "tokens", "columns": {"tokens": "D"}},
            "tokens is to be derived and to be read from D; choose one",
        ),
        (
            TABLE,
            {"derive": "tokens"},
            "t.csv: two of parameters, tokens and flops are needed and only parameters was found (N): name a column "
            "with --flops; its columns are size, N, D and pile",
        ),
        (
            "N,loss,budget\n1,2,3\n",
            {},
            "t.csv: two of parameters, tokens and flops are needed and only parameters was found (N): name a column "
            "with --tokens or --flops; --flops budget takes the budget for what was spent; its columns are N, loss and "
            "budget",
        ),
        (
            '{"a": 1}\n',
            {},
            "t.csv: two of parameters, tokens and flops are needed and none was found: name a column with --parameters "
            'or --tokens or --flops; its columns are {"a": 1}',
        ),
        ("N,D,loss,loss\n1,2,3,3\n", {}, "t.csv has 2 columns loss; rename all but one"),
        ('N,D,"a\nb"\n1,2,3\n', {}, "its columns are N, D and 'a\\nb'"),
    ],
)
def test_columns_that_cannot_be_found(tmp_path, text, options, says):
    assert refusal(write(tmp_path, text), **options).endswith(says)


def test_paths_that_lead_nowhere(tmp_path):
    assert refusal(tmp_path / "no.csv") == (
        "no.csv does not exist; give a table (.csv, .tsv, .parquet) or a study's folder"
    )
    assert "folder without a ledger.sqlite" in refusal(tmp_path)
    assert refusal(tmp_path / ("x" * 300)).endswith("cannot be read: File name too long")


positive = st.floats(min_value=1e-3, max_value=1e30)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    rows=st.lists(st.tuples(positive, positive, positive, st.none() | positive), min_size=1, max_size=8),
    delimiter=st.sampled_from(",\t;|"),
)
def test_what_is_written_is_read(tmp_path, rows, delimiter):
    lines = [delimiter.join("" if value is None else repr(value) for value in row) for row in rows]
    text = "\n".join([delimiter.join(["N", "D", "loss", "budget"]), *lines])
    n, d, loss, budget = (np.array(column, float) for column in zip(*rows, strict=True))
    runs = read_runs(write(tmp_path, text)).runs
    wanted = RunTable.of(parameters=n, tokens=d, loss=loss, budget=budget)
    for name in ("parameters", "tokens", "flops", "loss", "budget"):
        assert np.array_equal(getattr(runs, name), getattr(wanted, name), equal_nan=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(content=st.binary(max_size=200) | st.text(alphabet='ND,loss\n"\r\t1e9.-', max_size=200).map(str.encode))
def test_whatever_is_in_a_file_is_read_or_refused_in_one_line(tmp_path, content):
    path = write(tmp_path, content)
    try:
        assert len(read_runs(path, drop_invalid=True).runs) > 0
    except Exception:
        refusal(path, drop_invalid=True)


def test_chinchilla():
    path = table_path("chinchilla_epoch245.csv")
    reading = read_runs(path)
    assert (len(reading.runs), reading.runs.flops_per_nd, reading.notes) == (245, 6.0, ())
    assert np.isfinite(reading.runs.budget).sum() == 129
    assert reading.runs.lines.tolist() == list(range(2, 247))
    assert len(read_runs(path, where=["excluded_by_besiroglu=0"]).runs) == 240


def test_chinchilla_by_its_budgets():
    path = table_path("chinchilla_epoch245.csv")
    options = {"columns": {"flops": "isoflop_budget"}, "derive": "tokens"}
    assert "116 rows cannot be used: line 12: flops is empty" in refusal(path, **options)
    reading = read_runs(path, **options, drop_invalid=True)
    assert (len(reading.runs), len(reading.dropped)) == (129, 116)
    assert reading.columns["tokens"] == "flops / (6 × parameters)"
    assert np.array_equal(reading.runs.budget, reading.runs.flops)
    assert len(np.unique(reading.runs.budget)) == 9


def test_chinchilla_table_a9_has_no_runs():
    said = refusal(table_path("chinchilla_table_a9.csv"))
    assert "only parameters was found (params_M): name a column with --tokens or --flops" in said


def test_llama_3():
    reading = read_runs(table_path("llama3_isoflop.csv"))
    assert (len(reading.runs), reading.columns["loss"]) == (133, "loss_raw")
    assert reading.notes == ("loss: loss_raw, which may not be in nats per token",)


def test_datablations():
    path = table_path("datablations_c4.csv")
    assert len(read_runs(path).runs) == 294
    reading = read_runs(path, where=["epochs<=1.001", "seed="])
    assert (len(reading.runs), reading.left_out) == (33, 261)
    assert len(read_runs(path, where=["epochs<=1.001"]).runs) == 41


def test_olmo():
    path = table_path("olmo_ladder_final.csv")
    assert "name one with --loss; its columns are run, size, " in refusal(path)
    ladder = ["run~(190M|370M|760M|1B|3B)-(0.5|1|2|5|10)xC"]
    reading = read_runs(path, columns={"loss": "c4_en"}, where=ladder)
    assert (len(reading.runs), reading.rows, reading.left_out) == (25, 41, 16)
    assert len(np.unique(reading.runs.parameters)) == 5
    assert read_runs(path, columns={"loss": "c4_en"}).notes == (
        "equal runs are counted as independent: lines 33 and 34; 38, 40 and 42",
    )
