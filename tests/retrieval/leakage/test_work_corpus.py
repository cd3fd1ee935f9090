"""Verdicts on real text of which it is known what leaked: a slice of the work corpus."""

import itertools
import json

import pytest

from hutch.retrieval.leakage import read_evaluation, scan, verdict_quality
from hutch.text.files import json_lines
from tests.retrieval.leakage.conftest import write_rows


@pytest.mark.slow
@pytest.mark.parametrize("subset", ["encyclopedia", "news"])
def test_leaks_in_real_text_are_found_and_held_out_text_is_not_flagged(work_corpus, tmp_path, subset):
    leaked = [row for _, row in itertools.islice(json_lines(work_corpus / "leaked" / f"{subset}.jsonl.zst"), 80)]
    held_out = [row for _, row in itertools.islice(json_lines(work_corpus / "holdout" / f"{subset}.jsonl.zst"), 400)]
    write_rows(tmp_path / f"{subset}.jsonl", [*leaked, *held_out])
    evaluation = read_evaluation(tmp_path / f"{subset}.jsonl")
    report = scan(evaluation, work_corpus / "train" / f"{subset}.jsonl.zst", workers=2)
    everything = verdict_quality(evaluation, report.rows)[0]
    assert everything.documents == 80
    assert everything.recall is not None
    assert everything.recall >= 0.98
    assert everything.false_alarms <= 4
    assert everything.source_accuracy is not None
    assert everything.source_accuracy >= 0.95
    assert json.dumps(report.as_dict(), allow_nan=False)
