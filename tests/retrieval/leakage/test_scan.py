"""Copies are found, whole, edited and in part; licences and quotations are no copies."""

import csv
import json

import numpy as np
import pytest

from hutch.retrieval.leakage import (
    EvaluationDocument,
    ScanConfig,
    VerdictConfig,
    chunks_of,
    read_evaluation,
    scan,
    short_items,
    verdict_quality,
)
from hutch.runs.configuration import plain
from hutch.runs.errors import BadInput
from hutch.text import CorpusConfig, Tokenizer, build_corpus, read_source
from tests.retrieval.leakage import brute_force
from tests.retrieval.leakage.conftest import LICENCE, prose, training_words, write_rows


@pytest.fixture(scope="module")
def tokenizer(training_folder):
    return Tokenizer.train((document.text for document in read_source(training_folder).documents()), 400)


@pytest.fixture(scope="module")
def report(evaluation_file, training_folder):
    return scan(read_evaluation(evaluation_file), training_folder, workers=1)


def test_each_document_gets_the_verdict_that_it_deserves(report):
    assert {row.id: row.verdict for row in report.rows} == {
        "exact": "leaked",
        "edited": "leaked",
        "half": "partly leaked",
        "stitched": "leaked",
        "new": "clean",
        "quoting": "clean",
        "licenced": "common text",
        "brief": "too short",
        "empty": "too short",
    }
    assert report.training_documents == 40
    assert report.verdicts()["held-out"]["leaked"] == 3
    assert report.verdicts()["all"] == report.verdicts()["held-out"]


def test_shares_count_words(report):
    rows = {row.id: row for row in report.rows}
    assert (rows["exact"].words, rows["exact"].shared, rows["exact"].common) == (300, 1.0, 0.0)
    assert rows["half"].shared == 0.5
    assert rows["stitched"].shared == 0.8
    # Of 330 words 30 are quoted; its source is named, and does not make it a copy.
    assert rows["quoting"].shared == pytest.approx(30 / 330)
    assert rows["licenced"].common == pytest.approx(120 / 220)
    assert rows["licenced"].shared == 0
    assert rows["licenced"].anywhere == rows["licenced"].common


def test_the_right_sources_are_named(report):
    sources = {row.id: [(source.key, source.words) for source in row.sources] for row in report.rows}
    assert sources["exact"] == [("one.jsonl:t3", 300)]
    assert sources["stitched"] == [("one.jsonl:t5", 120), ("one.jsonl:t6", 120)]
    assert sources["edited"][0][0] == "two.jsonl:t20"
    assert sources["new"] == []


def test_the_evidence_is_the_text_on_both_sides(report, evaluation_rows):
    text = {row["id"]: row["text"] for row in evaluation_rows}
    (passage,) = next(row for row in report.rows if row.id == "half").passages
    assert passage.words == 150
    assert text["half"][passage.start : passage.end] == " ".join(training_words(31)[:150])
    source = " ".join(training_words(31)) + f"\n\n{LICENCE}"
    assert source[passage.source_start : passage.source_end] == " ".join(training_words(31)[:150])
    assert len(passage.text) <= 400
    edited = next(row for row in report.rows if row.id == "edited").passages
    assert edited[0].text != edited[0].source_text
    assert edited[0].words > 100


def test_the_quality_of_the_verdicts_is_counted(report, evaluation_file):
    quality = {(q.subset, q.kind): q for q in verdict_quality(read_evaluation(evaluation_file), report.rows)}
    everything = quality["all", "all"]
    assert (everything.documents, everything.found, everything.unleaked, everything.false_alarms) == (4, 4, 5, 0)
    assert (everything.precision, everything.recall, everything.source_accuracy) == (1.0, 1.0, 1.0)
    assert quality["held-out", "partial"].documents == 2


@pytest.mark.parametrize("workers", [2, 3])
def test_the_number_of_workers_changes_nothing(workers, evaluation_file, training_folder, tokenizer, tmp_path):
    one = scan(read_evaluation(evaluation_file), training_folder, encode=tokenizer.encode, workers=1)
    several = scan(
        read_evaluation(evaluation_file), training_folder, encode=tokenizer.encode, workers=workers, scratch=tmp_path
    )
    assert plain(several.rows) == plain(one.rows)
    assert several.source_keys == one.source_keys
    assert one.chunks is not None
    assert several.chunks is not None
    for name in ("document", "start", "tokens", "length", "place", "source", "offset"):
        assert getattr(several.chunks, name).tolist() == getattr(one.chunks, name).tolist()
    assert list(tmp_path.iterdir()) == []


def test_exact_ratios_equal_brute_force(evaluation_file, training_folder, tokenizer):
    evaluation = read_evaluation(evaluation_file)
    report = scan(evaluation, training_folder, encode=tokenizer.encode, workers=1)
    training = [np.array(tokenizer.encode(document.text)) for document in read_source(training_folder).documents()]
    chunks, owner = chunks_of([np.array(tokenizer.encode(document.text)) for document in evaluation])
    assert report.chunks is not None
    assert report.chunks.document.tolist() == owner.tolist()
    source = {"exact": training[3], "half": training[31]}
    for name, text in source.items():
        rows = np.flatnonzero(owner == [document.id for document in evaluation].index(name))[:4]
        for row in rows:
            least = brute_force.common_substring(chunks[row].tolist(), text.tolist())
            assert report.chunks.length[row] >= least >= 8
            key = report.source_keys[int(report.chunks.source[row])]
            place = int(key.rpartition(":t")[2])
            offset, length = report.chunks.offset[row], report.chunks.length[row]
            begin = report.chunks.place[row]
            assert training[place][offset : offset + length].tolist() == chunks[row, begin : begin + length].tolist()
    row = next(row for row in report.rows if row.id == "exact")
    assert row.mean_ratio is not None
    assert row.mean_ratio > 0.9


def test_a_long_text_cut_into_passages_is_still_one_source(tmp_path):
    book = prose(77, 9000)
    (tmp_path / "book.txt").write_text("\n\n".join(" ".join(book[i : i + 50]) for i in range(0, 9000, 50)))
    (row,) = scan([EvaluationDocument("copy", " ".join(book))], tmp_path / "book.txt", workers=1).rows
    assert row.verdict == "leaked"
    assert len(row.sources) == 3
    assert row.shared > 0.95


def test_the_training_text_may_be_a_corpus(tmp_path, training_folder):
    folder = tmp_path / "texts"
    write_rows(folder / "a.jsonl", [{"text": " ".join(prose(1000 + n, 400))} for n in range(60)])
    corpus = build_corpus(CorpusConfig(source=str(folder), vocabulary=300), tmp_path / "corpus")
    text = corpus.tokenizer.decode(corpus.train.document(7))
    held_out = corpus.tokenizer.decode(corpus.holdout.document(0))
    documents = [EvaluationDocument("seen", text), EvaluationDocument("unseen", held_out)]
    seen, unseen = scan(documents, corpus.folder, workers=1).rows
    assert (seen.verdict, seen.sources[0].key) == ("leaked", "train:7")
    assert unseen.verdict == "clean"


def test_items_of_a_task_are_scanned(tmp_path, training_folder):
    words = training_words(10)
    items = [
        {"question": " ".join(words[:9]) + "?", "choices": [words[9], words[10]], "answer": 0},
        {"question": "What is new here, and who would have thought of it?", "choices": ["Yes", "No"]},
    ]
    write_rows(tmp_path / "task.jsonl", items)
    config = ScanConfig(verdicts=short_items())
    seen, unseen = scan(read_evaluation(tmp_path / "task.jsonl"), training_folder, config, workers=1).rows
    assert (seen.id, seen.verdict, seen.words) == ("task.jsonl:1", "leaked", 11)
    assert unseen.verdict == "clean"


def test_rows_are_written_as_json_lines_and_as_a_table(report, tmp_path):
    report.write_rows(tmp_path / "rows.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == [row.id for row in report.rows]
    assert rows[0]["sources"] == [{"key": "one.jsonl:t3", "words": 300}]
    report.write_rows(tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open(newline="") as handle:
        table = list(csv.DictReader(handle))
    assert (table[0]["verdict"], table[0]["source"], table[0]["shared"]) == ("leaked", "one.jsonl:t3", "1.0000")
    assert json.loads(json.dumps(report.as_dict(), allow_nan=False))["documents"] == 9
    with pytest.raises(BadInput, match=r"rows.txt ends neither in .jsonl nor in .csv"):
        report.write_rows(tmp_path / "rows.txt")


def test_progress_is_told(evaluation_file, training_folder):
    told = []
    scan(read_evaluation(evaluation_file), training_folder, workers=1, on_progress=lambda *what: told.append(what))
    assert list(dict.fromkeys(stage for stage, _, _ in told)) == [
        "indexing the evaluation set",
        "reading the training text",
        "comparing with the sources",
    ]
    assert ("reading the training text", 40, 40) in told


def test_what_cannot_be_scanned_is_refused(tmp_path, evaluation_file, training_folder):
    evaluation = read_evaluation(evaluation_file)
    with pytest.raises(BadInput, match="the evaluation set is empty"):
        scan([], training_folder)
    with pytest.raises(BadInput, match="workers is 0"):
        scan(evaluation, training_folder, workers=0)
    with pytest.raises(BadInput, match="nowhere does not exist"):
        scan(evaluation, tmp_path / "nowhere")
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(BadInput, match=r"empty.jsonl holds no documents"):
        scan(evaluation, tmp_path / "empty.jsonl")
    (tmp_path / "bad.jsonl").write_text('{"text": "a"}\n{"text"\n')
    with pytest.raises(BadInput, match=r"bad.jsonl:2 is not JSON"):
        scan(evaluation, tmp_path / "bad.jsonl")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window": 0}, "window is 0"),
        ({"partly": 0.9}, "partly is 0.9 and leaked 0.66"),
        ({"leaked": 1.1}, "leaked 1.1"),
    ],
)
def test_thresholds_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(BadInput, match=message):
        VerdictConfig(**settings)


def test_passages_may_be_left_out_and_are_never_negative(evaluation_file, training_folder):
    rows = scan(read_evaluation(evaluation_file), training_folder, ScanConfig(passages=0), workers=1).rows
    assert not any(row.passages for row in rows)
    assert rows[0].verdict == "leaked"
    with pytest.raises(BadInput, match="passages is -1"):
        ScanConfig(passages=-1)
