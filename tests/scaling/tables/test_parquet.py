import builtins
from decimal import Decimal

import numpy as np
import pytest

from hutch.scaling.tables import read_runs

from .tables import refusal, write

pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
from pyarrow import parquet  # noqa: E402


def table(folder, name="t.parquet", **columns):
    parquet.write_table(pyarrow.table(columns), folder / name)
    return folder / name


def test_columns_of_every_type(tmp_path):
    path = table(
        tmp_path,
        N=pyarrow.array([10**9, 2 * 10**9], pyarrow.int64()),
        D=pyarrow.array(["20B", "4e10"]).dictionary_encode(),
        flops=pyarrow.array([Decimal(12 * 10**19), Decimal(48 * 10**19)], pyarrow.decimal128(38, 0)),
        loss=pyarrow.array([2.5, 2.3], pyarrow.float32()),
        extra=[[1], [2]],
        final=[True, False],
    )
    runs = read_runs(path, where=["final=true"]).runs
    assert (runs.parameters[0], runs.tokens[0], runs.flops[0], runs.loss[0]) == (1e9, 2e10, 1.2e20, 2.5)
    assert read_runs(path).runs.loss.tolist() == [2.5, 2.3]
    assert read_runs(path).runs.lines.tolist() == [1, 2]


def test_integers_past_64_bits(tmp_path):
    big = [Decimal(6 * 10**38), Decimal(24 * 10**38)]
    path = table(
        tmp_path,
        N=pyarrow.array([10**19, 2 * 10**19 - 2**62], pyarrow.uint64()),
        C=pyarrow.array(big, pyarrow.decimal256(60, 0)),
        loss=[2.0, 1.9],
    )
    assert read_runs(path).runs.tokens[0] == pytest.approx(1e19)


def test_every_float_comes_back(tmp_path):
    loss = np.random.default_rng(0).uniform(0.5, 9, 2_000)
    path = table(tmp_path, N=np.full(2_000, 1e9), D=np.full(2_000, 1e10) * np.arange(1, 2_001), loss=loss)
    assert np.array_equal(read_runs(path).runs.loss, loss)


def test_nulls_are_empty_cells(tmp_path):
    path = table(
        tmp_path, N=[1e9, None, 3e9], D=[1e10, 2e10, float("nan")], loss=[3.0, 2.9, 2.8], budget=[None, 1e20, 2e20]
    )
    said = "t.parquet: 2 rows cannot be used: row 2: parameters is empty; row 3: tokens is nan (--drop-invalid leaves"
    assert refusal(path).startswith(said)
    reading = read_runs(path, drop_invalid=True)
    assert np.isnan(reading.runs.budget).tolist() == [True]
    assert read_runs(path, where=["budget="], drop_invalid=True).left_out == 2


def test_it_is_known_by_its_content(tmp_path):
    assert len(read_runs(table(tmp_path, name="t.data", N=[1e9], D=[1e10], loss=[3.0])).runs) == 1
    assert refusal(write(tmp_path, "N,D,loss\n1,2,3\n", "u.parquet")).startswith("u.parquet is not a Parquet file that")
    assert refusal(write(tmp_path, b"PAR1 not really", "v.csv")).startswith("v.csv is not a Parquet file that can be")
    assert refusal(write(tmp_path, b"", "w.parquet")).startswith("w.parquet is not a Parquet file that can be read")


def test_columns_that_are_not_there_or_no_numbers(tmp_path):
    path = table(tmp_path, N=[[1.0]], D=[1e10], loss=[3.0])
    assert refusal(path) == "t.parquet: column N holds list<element: double>, neither numbers nor text"
    assert refusal(path, columns={"loss": "pile"}) == "t.parquet has no column pile; its columns are N, D and loss"
    assert refusal(table(tmp_path, N=np.empty(0), D=np.empty(0), loss=np.empty(0))).endswith("names and no rows")


def test_names_with_dots_and_columns_of_one_name(tmp_path):
    dotted = table(tmp_path, **{"model.params": [1e9], "D": [1e10], "eval.loss": [3.0]})
    assert read_runs(dotted, columns={"parameters": "model.params"}).runs.loss.tolist() == [3.0]
    twice = pyarrow.Table.from_arrays([pyarrow.array([1.0])] * 4, names=["N", "D", "loss", "loss"])
    parquet.write_table(twice, tmp_path / "u.parquet")
    assert refusal(tmp_path / "u.parquet") == "u.parquet has 2 columns loss; rename all but one"


def test_damaged_pages_are_refused(tmp_path):
    path = table(tmp_path, N=np.arange(1e3, 2e3), D=np.arange(1e5, 1.01e5), loss=np.linspace(3, 2, 1000))
    content = bytearray(path.read_bytes())
    content[4:600] = b"\xff" * 596
    path.write_bytes(content)
    assert "t.parquet" in refusal(path)


def test_a_missing_library_names_its_extra(tmp_path, monkeypatch):
    real = builtins.__import__

    def no_pyarrow(name, *args, **kwargs):
        if name.partition(".")[0] == "pyarrow":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_pyarrow)
    said = refusal(write(tmp_path, b"PAR1", "t.parquet"))
    assert said == "t.parquet needs the library pyarrow: pip install 'hutch-lab[parquet]'"
