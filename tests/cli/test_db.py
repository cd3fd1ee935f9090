"""`hutch db` as a user meets it."""

import csv
import json
import os
import random
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from hutch.cli.db_search import pieces
from hutch.cli.main import main
from hutch.retrieval.database import ChunkDatabase, JoinConfig, join_neighbours
from hutch.retrieval.leakage import chunks_of
from hutch.text import Corpus, CorpusConfig, build_corpus

pytest.importorskip("faiss")
pytest.importorskip("numba")
SMALL = ("--dimensions", 16, "--workers", 1)
draw = random.Random(0)
WORDS = ["".join(draw.choices("abcdefghiklmnoprstu", k=draw.randint(3, 8))) for _ in range(300)]


def text_of(seed, words=300):
    return " ".join(random.Random(seed).choices(WORDS, k=words))


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """Sixty documents of words that repeat."""
    folder = tmp_path_factory.mktemp("text")
    for number in range(60):
        (folder / f"{number}.txt").write_text(text_of(number))
    return folder


@pytest.fixture(scope="module")
def corpus(text, tmp_path_factory):
    return build_corpus(CorpusConfig(source=str(text), vocabulary=500), tmp_path_factory.mktemp("corpus") / "c").folder


@pytest.fixture(scope="module")
def database(corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("database") / "d"
    assert db("build", corpus, "--out", folder, "--embedder", "bm25", *SMALL) == 0
    return folder


def db(*arguments):
    return main(["db", *map(str, arguments)])


def said(capsys):
    """The lines on stderr that are not progress."""
    lines = capsys.readouterr().err.splitlines()
    return [line for line in lines if not re.match(r"[a-z ]+: [\d,]+|preparing", line)]


def test_text_becomes_a_database_and_a_second_call_finds_it_there(text, tmp_path, capsys):
    command = ("build", text, "--out", tmp_path / "d", "--vocabulary", 500, *SMALL, "--json")
    assert db(*command) == 0
    first = capsys.readouterr()
    document = json.loads(first.out)
    assert "preparing the text" in first.err
    assert "embedding: " in first.err
    opened, made = ChunkDatabase.open(tmp_path / "d"), Corpus.open(tmp_path / "d" / "corpus")
    assert document["chunks"] == len(opened)
    assert document["documents"] == len(made.train)
    assert document["tokens"] == len(made.train.tokens)
    assert document["paper_bytes"] == opened.paper_bytes < document["disk_bytes"]
    assert document["indexes"][0]["kind"] == "flat"
    assert document["embedder"]["dimensions"] == 16
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "d").rglob("*") if path.suffix}
    assert db(*command) == 0
    again = capsys.readouterr()
    assert json.loads(again.out) == document
    assert "embedding" not in again.err
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "d").rglob("*") if path.suffix}


def test_a_build_says_chunks_documents_bytes_index_and_recall(corpus, tmp_path, capsys):
    assert db("build", corpus, "--out", tmp_path / "d", "--documents", 20, "--index", "hnsw", *SMALL) == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines()] == [
        "chunks", "documents", "embedder", "bytes", "index", "database",
    ]  # fmt: skip
    assert "documents  20, " in out
    assert re.search(r"hnsw, recall@2 (1.000|0.9\d\d) and recall@10", out)
    assert " times the " in out


def test_ctrl_c_stops_and_the_same_command_goes_on(text, tmp_path, capsys):
    corpus = build_corpus(CorpusConfig(source=str(text), vocabulary=500), tmp_path / "c").folder
    command = ("build", corpus, "--out", tmp_path / "d", *SMALL)
    process = subprocess.Popen(
        [sys.executable, "-m", "hutch.cli.main", "db", *map(str, command), "--index", "hnsw", "--recall", "1"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    while process.poll() is None and not (tmp_path / "d" / "build.json").exists():
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert out == ""
    assert err.splitlines()[-1] == "hutch: interrupted; the same command goes on from here"
    assert "Traceback" not in err
    assert db("search", tmp_path / "d", "word") == 1
    assert "run the same build again to go on" in capsys.readouterr().err
    assert db(*command, "--index", "hnsw", "--recall", "1") == 0
    assert db("search", tmp_path / "d", "word") == 0


def test_a_search_shows_where_the_text_stands(database, corpus, capsys):
    opened = ChunkDatabase.open(database)
    own = opened.tokenizer.decode(opened.chunk_tokens(np.array([30]))[0])
    assert db("search", database, own, "-k", 2, "--retriever", "dense", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    (query,) = document["queries"]
    best = query["neighbours"][0]
    number = int(opened.document_of(np.array([30]))[0])
    entry = opened.document(number)
    assert best["chunk"] == 30
    assert best["distance"] < 1e-3
    assert (best["document"], best["subset"]) == (number, entry.subset)
    assert (best["place"], best["places"]) == (30 - entry.first_chunk + 1, entry.chunks)
    assert best["text"] == own
    whole = opened.tokenizer.decode(opened.document_tokens(number))
    assert best["text"] + best["continuation"] in whole
    assert len(best["continuation"]) > 50
    assert db("search", database, own, "-k", 1, "--retriever", "dense") == 0
    out = capsys.readouterr().out
    assert f"document {number}, chunk {best['place']} of {entry.chunks}" in out
    assert " ".join(own.split()[2:6]) in " ".join(out.split())


@pytest.mark.parametrize(("retriever", "called"), [("dense", "distance"), ("reranked", "distance"), ("bm25", "score")])
def test_every_retriever_ranks(database, capsys, retriever, called):
    words = f"{WORDS[3]} {WORDS[5]} {WORDS[8]}"
    assert db("search", database, words, "-k", 3, "--retriever", retriever) == 0
    assert capsys.readouterr().out.count(called) == 3


def test_a_search_page_is_whole_and_holds_no_markup_of_the_texts(tmp_path, capsys):
    folder = tmp_path / "text"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number}.txt").write_text(text_of(number) + " <script>alert(1)</script> Planets turn. " * 3)
    assert db("build", folder, "--out", tmp_path / "d", "--vocabulary", 400, *SMALL) == 0
    found = ("search", tmp_path / "d", "planets turn & <script>", "stars", "--page", tmp_path / "p.html")
    assert db(*found) == 0
    page = (tmp_path / "p.html").read_text()
    assert "<mark>Planets</mark>" in page or "<mark>planets</mark>" in page
    assert "&lt;<mark>script</mark>&gt;alert(1)" in page
    assert "<script" not in page
    assert "http" not in page
    assert page.count("<article") == 10
    assert f"page: {tmp_path / 'p.html'}" in capsys.readouterr().err


def test_shared_words_are_found_whatever_their_case():
    assert pieces("The Moon, the moons.", "moon OF the sun") == [
        ("The ", False),
        ("Moon", True),
        (", the moons.", False),
    ]


def test_neighbours_are_those_of_the_join(database, corpus, tmp_path, capsys):
    command = ("neighbours", database, "--corpus", corpus, "--out", tmp_path / "n", "--context", 128, "--workers", 1)
    assert db(*command, "--retriever", "dense", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    opened, train = ChunkDatabase.open(database), Corpus.open(corpus).train
    config = JoinConfig(k=2, context=128, retriever="dense")
    assert np.array_equal(
        np.load(tmp_path / "n" / "neighbours.npy"), join_neighbours(train, opened, tmp_path / "m", config=config).ids
    )
    assert document["chunks"] == len(train.tokens) // 64
    assert (document["k"], document["context"], document["database"]) == (2, 128, opened.digest)
    assert db(*command, "--retriever", "dense") == 0
    assert "2 neighbours each for" in capsys.readouterr().out
    assert db(*command, "--retriever", "dense", "-k", 3) == 2
    assert "holds neighbours with k 2, not 3" in capsys.readouterr().err


def test_neighbours_of_the_holdout_in_part_of_the_database(database, corpus, tmp_path, capsys):
    command = ("neighbours", database, "--corpus", corpus, "--part", "holdout", "--out", tmp_path / "n")
    assert db(*command, "--context", 128, "--chunks", 50, "--workers", 1, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["chunks"] == len(Corpus.open(corpus).holdout.tokens) // 64
    assert document["database_chunks"] == 50
    assert np.load(tmp_path / "n" / "neighbours.npy").max() < 50


@pytest.fixture(scope="module")
def evaluation(corpus, tmp_path_factory):
    """Files: ten new documents; a copy, a half copy, an edited copy of training documents."""
    folder = tmp_path_factory.mktemp("evaluation")
    opened = Corpus.open(corpus)
    copies = [opened.tokenizer.decode(opened.train.document(i)) for i in range(3)]
    rows = [{"id": f"new{i}", "text": text_of(1000 + i)} for i in range(10)]
    (folder / "new.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    half = " ".join(copies[1].split()[:150]) + " " + text_of(2000, 150)
    edited = " ".join(word for i, word in enumerate(copies[2].split()) if i % 30)
    leaks = [("exact", copies[0]), ("partial", half), ("edited", edited)]
    rows = [{"id": f"leak-{kind}", "text": text, "leak": kind, "leak_of": "?"} for kind, text in leaks]
    (folder / "leaks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_leaks_are_found_in_a_corpus_a_database_and_text(corpus, database, text, evaluation, tmp_path, capsys):
    for training in (corpus, database, text):
        files = (evaluation / "new.jsonl", evaluation / "leaks.jsonl")
        assert db("leakage", training, *files, "--workers", 1, "--json") == 0
        document = json.loads(capsys.readouterr().out)
        verdicts = {row["id"]: row["verdict"] for row in document["rows"]}
        assert verdicts["leak-exact"] == verdicts["leak-edited"] == "leaked"
        assert verdicts["leak-partial"] == "partly leaked"
        assert sum(verdict == "clean" for verdict in verdicts.values()) == 10
        assert document["verdicts"]["all"]["leaked"] == 2
        copy = next(row for row in document["rows"] if row["id"] == "leak-exact")
        passage = copy["passages"][0]
        assert passage["words"] > 250
        assert passage["text"][:100] == passage["source_text"][:100]
        assert (document["chunks"] is None) == (training == text)
        assert (copy["mean_ratio"] is None) == (training == text)
        if training == database:
            assert re.fullmatch(r"document \d+", copy["sources"][0]["key"])
            chunks = document["chunks"]
            # Neighbours show a part of the training text; the exact match counts from 8 tokens on.
            exact, nearest = chunks["share_left"][1:], chunks["share_left_by_neighbours"][1:]
            assert all(left <= seen for left, seen in zip(exact, nearest, strict=True))
            assert chunks["share_left"][-1] == 1
            assert all(0 < row["recall"] <= 1 for row in chunks["neighbour_recall"] if row["exact_share"])


def test_known_leaks_measure_the_verdicts_and_are_not_among_them(corpus, evaluation, capsys):
    command = ("leakage", corpus, evaluation / "new.jsonl", "--known-leaks", evaluation / "leaks.jsonl", "--workers", 1)
    assert db(*command, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["documents"] == len(document["rows"]) == 10
    known = {row["kind"]: row for row in document["known_leaks"] if row["subset"] == "all"}
    assert set(known) == {"all", "exact", "partial", "edited"}
    assert known["all"]["documents"] == known["all"]["found"] == 3
    assert known["all"]["unleaked"] == 10
    assert known["all"]["precision"] == known["exact"]["recall"] == 1
    assert db(*command) == 0
    out = capsys.readouterr().out
    assert re.search(r"exact +1 +1 +100.0.% +100.0.%", out)
    assert db("leakage", corpus, evaluation / "new.jsonl", "--known-leaks", evaluation / "new.jsonl") == 2
    assert "says of no document how it was leaked" in capsys.readouterr().err


def test_bits_of_a_model_become_a_curve(corpus, evaluation, tmp_path, capsys):
    tokenizer = Corpus.open(corpus).tokenizer
    rows = [json.loads(line) for line in (evaluation / "new.jsonl").read_text().splitlines()]
    chunks, _ = chunks_of([np.array(tokenizer.encode(row["text"])) for row in rows])
    sizes = np.append(tokenizer.byte_lengths, 0)[chunks].sum(1)
    np.savez(tmp_path / "bits.npz", flat=2.5 * sizes)
    command = ("leakage", corpus, evaluation / "new.jsonl", "--workers", 1, "--bits")
    assert db(*command, tmp_path / "bits.npz", "--json") == 0
    curve = json.loads(capsys.readouterr().out)["chunks"]["bits_per_byte"]["models"]["flat"]
    assert curve["value"][-1] == pytest.approx(2.5)
    np.savez(tmp_path / "short.npz", flat=sizes[:-1])
    assert db(*command, tmp_path / "short.npz") == 2
    assert f"there are {len(sizes)} chunks" in said(capsys)[0]
    (tmp_path / "no.npz").write_text("no")
    assert db(*command, tmp_path / "no.npz") == 2
    assert "is no .npz file" in said(capsys)[0]


def test_a_leakage_page_and_rows(database, evaluation, tmp_path, capsys):
    page, rows = tmp_path / "p.html", tmp_path / "rows.csv"
    known = ("--known-leaks", evaluation / "leaks.jsonl")
    command = ("leakage", database, evaluation / "leaks.jsonl", *known, "--page", page, "--rows", rows, "--workers", 1)
    assert db(*command, "--show", 1) == 0
    out = capsys.readouterr().out
    assert "and 2 more" in out
    assert out.count(" here  ") == 1
    html = page.read_text()
    assert html.count("<article") == 3
    assert html.count("✗ leaked") == 2
    assert "≈ partly leaked" in html
    assert "<script" not in html
    with rows.open() as handle:
        found = list(csv.DictReader(handle))
    assert [row["verdict"] for row in found] == ["leaked", "partly leaked", "leaked"]
    assert all(re.fullmatch(r"document \d+", row["source"]) for row in found)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("build", "CORPUS", "--out", "NEW", "--embedder", "nonsense"), "there is no embedder 'nonsense'"),
        (("build", "CORPUS", "--out", "NEW", "--embedder", "minilm", "--dimensions", 9), "--dimensions is for static"),
        (("build", "CORPUS", "--out", "NEW", "--embedder", "bm25", "--retriever", "dense"), "contradict each other"),
        (("build", "CORPUS", "--out", "NEW", "--vocabulary", 400), "has 500 tokens, not 400"),
        (("build", "CORPUS", "--out", "NEW", "--workers", 0), "--workers must be at least 1"),
        (("build", "CORPUS", "--out", "NEW", "--chunk", 0), "chunk is 0"),
        (("build", "CORPUS", "--out", "NEW", "--documents", "many"), "'many'"),
        (("build", "CORPUS", "--out", "DATABASE"), "holds a database with another"),
        (("build", "CORPUS", "--out", "CORPUS"), "does not describe a database"),
        (("build", "CORPUS", "--out", "/dev/null"), "is a file, not a folder"),
        (("build", "/nowhere/text", "--out", "NEW"), "/nowhere/text"),
        (("search", "/nowhere", "word"), "holds no database"),
        (("search", "CORPUS", "word"), "does not describe a database"),
        (("search", "DATABASE", " "), "is empty"),
        (("search", "DATABASE", "word", "-k", 0), "k is 0"),
        (("search", "DATABASE", "word", "-k", 10**6), "k is 1000000"),
        (("search", "DATABASE", "word", "--page", "/nowhere/p.html"), "there is no folder /nowhere"),
        (("neighbours", "DATABASE", "--corpus", "/nowhere", "--context", 128, "--out", "NEW"), "holds no corpus"),
        (("neighbours", "DATABASE", "--corpus", "CORPUS", "--context", 100, "--out", "NEW"), "context is 100"),
        (("neighbours", "DATABASE", "--corpus", "CORPUS", "--context", 64, "--out", "NEW", "-k", 0), "k is 0"),
        (("neighbours", "DATABASE", "--corpus", "CORPUS", "--out", "NEW"), "--context"),
        (("leakage", "/nowhere", "NEWS"), "/nowhere"),
        (("leakage", "CORPUS", "/nowhere.jsonl"), "/nowhere.jsonl"),
        (("leakage", "CORPUS", "NEWS", "--rows", "NEW.txt"), "ends neither in .jsonl nor in .csv"),
        (("leakage", "CORPUS", "NEWS", "--show", -1), "--show must be at least 0"),
    ],
)
def test_a_mistake_is_one_line(corpus, database, evaluation, tmp_path, capsys, arguments, says):
    places = {"CORPUS": corpus, "DATABASE": database, "NEW": tmp_path / "new", "NEWS": evaluation / "new.jsonl"}
    places["NEW.txt"] = tmp_path / "new.txt"
    capsys.readouterr()
    try:
        code = db(*(places.get(argument, argument) for argument in arguments))
    except SystemExit as stop:
        code = stop.code
    lines = said(capsys)
    assert len(lines) == 1, lines
    assert says in lines[0]
    assert code == 2
