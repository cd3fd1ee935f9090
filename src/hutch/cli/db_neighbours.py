"""`hutch db neighbours`: the neighbours of every chunk of a corpus, computed once and kept for training."""

import argparse
import json
from pathlib import Path
from typing import Any

from hutch.cli.db_corpus import add_workers, is_corpus, opened_database, workers_of


def add_neighbours(verbs: Any) -> None:
    """Add `neighbours` to the verbs of `hutch db`."""
    join = verbs.add_parser(
        "neighbours",
        help="the neighbours of each chunk of a corpus, for training; the same command again goes on",
        description="Join the token stream of a corpus with a database: for each chunk its nearest, none of them from "
        "a document that a training sequence with the chunk in it overlaps.",
        epilog="example: hutch db neighbours my-database --corpus my-database/corpus --context 256 --out my-neighbours",
    )
    join.add_argument("database", type=Path, metavar="DB", help="a database")
    join.add_argument("--corpus", required=True, metavar="DIR", help="a corpus of the same tokenizer")
    join.add_argument("--part", choices=("train", "holdout"), default="train", help="which part (default: train)")
    join.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to keep the neighbours")
    join.add_argument("-k", type=int, default=2, metavar="K", help="neighbours of a chunk (default: 2)")
    join.add_argument("--context", type=int, required=True, metavar="N", help="tokens of a training sequence")
    join.add_argument("--retriever", choices=("dense", "reranked", "bm25"), help="(default: the database's)")
    join.add_argument("--chunks", type=int, metavar="N", help="search only the database's first N chunks")
    add_workers(join)
    join.add_argument("--json", action="store_true", help="one JSON document on stdout")
    join.set_defaults(call=join_to)


def join_to(options: argparse.Namespace) -> None:
    """Join, and say what came of it."""
    from hutch.retrieval.database import JoinConfig, join_neighbours
    from hutch.runs.errors import BadInput
    from hutch.text import Corpus

    workers = workers_of(options.workers)
    config = JoinConfig(k=options.k, context=options.context, retriever=options.retriever)
    database = opened_database(options.database)
    if options.chunks is not None:
        database = database.limited(options.chunks)
    if not is_corpus(options.corpus):
        raise BadInput(f"{options.corpus} holds no corpus: give the one that the database was built from")
    corpus = Corpus.open(options.corpus)
    shard = corpus.train if options.part == "train" else corpus.holdout
    from hutch.cli.db_line import working

    with working() as line:
        table = join_neighbours(shard, database, options.out, config=config, workers=workers, on_progress=line)
    document = {
        "folder": str(table.folder),
        "chunks": len(table.ids),
        "short": table.short,
        "database_chunks": len(database),
        **{name: table.manifest["asked"][name] for name in ("k", "context", "retriever", "database")},
    }
    print(json.dumps(document, indent=1) if options.json else summary(document))


def summary(document: dict[str, Any]) -> str:
    """The same for a person."""
    from hutch.reports.formats import grouped, percent

    share = percent(document["short"] / document["chunks"], 2)
    return (
        f"{document['k']} neighbours each for {grouped(document['chunks'])} chunks, among "
        f"{grouped(document['database_chunks'])}; {grouped(document['short'])} ({share}) have fewer; they are in "
        f"{document['folder']}"
    )
