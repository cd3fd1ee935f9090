"""`hutch db build`: a chunk database from a corpus or from text."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hutch.cli.db_corpus import add_workers, corpus_of, workers_of

if TYPE_CHECKING:
    from hutch.retrieval.database import ChunkDatabase


def add_build(verbs: Any) -> None:
    """Add `build` to the verbs of `hutch db`."""
    build = verbs.add_parser(
        "build",
        help="build a database; the same command again goes on where it stopped",
        description="Cut the training documents of a corpus into chunks, embed them, index them. Of text a corpus is "
        "made first, in DIR/corpus.",
        epilog="example: hutch db build my-texts/ --out my-database",
    )
    build.add_argument("corpus", metavar="CORPUS", help="a corpus, or a file or folder of text")
    build.add_argument("--out", type=Path, required=True, metavar="DIR", help="the database's folder")
    _add_content(build)
    add_workers(build)
    build.add_argument("--json", action="store_true", help="one JSON document on stdout")
    build.set_defaults(call=build_to)


def _add_content(build: argparse.ArgumentParser) -> None:
    group = build.add_argument_group("what it holds")
    group.add_argument(
        "--embedder",
        default="static",
        metavar="NAME",
        help="static: word vectors learned from the text itself; bm25: these, and an inverted file that searches use; "
        "minilm, or the folder of another encoder in the form of sentence-transformers; a model that hutch trained on "
        "this corpus (default: static)",
    )
    group.add_argument("--dimensions", type=int, metavar="D", help="of static vectors (default: 256)")
    group.add_argument(
        "--retriever",
        choices=("dense", "reranked", "bm25"),
        help="how a search ranks that does not say: by vectors, these re-ranked by BM25, BM25 alone (default: dense)",
    )
    group.add_argument(
        "--documents", type=int, metavar="N", help="only the first N documents, which are drawn at random"
    )
    group.add_argument("--chunk", type=int, default=64, metavar="M", help="tokens of a chunk (default: 64)")
    group.add_argument(
        "--value", type=int, default=128, metavar="R", help="tokens of a chunk and its continuation (default: 128)"
    )
    group.add_argument("--vocabulary", type=int, metavar="V", help="tokens of a corpus that is made (default: 2048)")
    index = build.add_argument_group("the index")
    index.add_argument(
        "--index",
        choices=("auto", "flat", "hnsw", "ivf"),
        default="auto",
        help="(default: flat below 100,000 chunks, hnsw below a million, then ivf)",
    )
    index.add_argument("--recall", type=float, default=0.95, help="of the two nearest, to be reached (default: 0.95)")


def config_of(options: argparse.Namespace) -> Any:
    """The `DatabaseConfig` that the flags ask for."""
    from hutch.retrieval.database import DatabaseConfig
    from hutch.retrieval.index import IndexConfig
    from hutch.runs.errors import BadInput

    by_bm25 = options.embedder == "bm25"
    if by_bm25 and options.retriever not in (None, "bm25"):
        raise BadInput(f"--embedder bm25 and --retriever {options.retriever} contradict each other: leave one out")
    return DatabaseConfig(
        chunk=options.chunk,
        value=options.value,
        documents=options.documents,
        retriever=options.retriever or ("bm25" if by_bm25 else "dense"),
        index=IndexConfig(kind=options.index, recall=options.recall),
    )


def embedder_of(options: argparse.Namespace) -> Any:
    """The embedder, or how one is to be learned."""
    from hutch.retrieval.embedders import HiddenStateEmbedder, StaticConfig, TransformerEmbedder
    from hutch.runs.errors import BadInput

    static = options.embedder in ("static", "bm25")
    if options.dimensions is not None and not static:
        raise BadInput(f"--dimensions is for static vectors; {options.embedder} has its own")
    if static:
        return StaticConfig() if options.dimensions is None else StaticConfig(dimensions=options.dimensions)
    place = Path(options.embedder)
    if options.embedder != "minilm" and not place.is_dir():
        raise BadInput(f"there is no embedder {options.embedder!r}: choose static, bm25, minilm or a model's folder")
    # Encoders of others have a config.json beside their weights, ours have not.
    if (place / "model.safetensors").is_file() and not (place / "config.json").is_file():
        from hutch.lm.own_model import OwnModel

        return HiddenStateEmbedder(OwnModel.load(place).model)
    return TransformerEmbedder(options.embedder)


def build_to(options: argparse.Namespace) -> None:
    """Build the database and say what it holds."""
    config, workers = config_of(options), workers_of(options.workers)
    embedder = embedder_of(options)
    from hutch.cli.db_line import working
    from hutch.retrieval.database import build_database
    from hutch.retrieval.database.opening import CORPUS

    with working() as line:
        corpus = corpus_of(options.corpus, options.out / CORPUS, options.vocabulary, line)
        database = build_database(
            corpus,
            corpus.tokenizer,
            options.out,
            embedder=embedder,
            config=config,
            workers=workers,
            on_progress=line,
        )
    document = facts_of(database)
    print(json.dumps(document, indent=1) if options.json else summary(document))


def facts_of(database: "ChunkDatabase") -> dict[str, Any]:
    """What a database holds, fit for JSON."""
    return {
        "folder": str(database.folder),
        "digest": database.digest,
        "chunks": len(database),
        "chunk_tokens": database.config.chunk,
        "documents": int(database.document_starts[-1]),
        "tokens": sum(len(segment.tokens) for segment in database.segments),
        "embedder": {name: database.manifest["embedder"][name] for name in ("name", "dimensions", "digest")},
        "retriever": database.config.retriever,
        "paper_bytes": database.paper_bytes,
        "disk_bytes": database.disk_bytes,
        "indexes": [segment.manifest["index"] for segment in database.segments],
    }


def summary(document: dict[str, Any]) -> str:
    """The same for a person."""
    from hutch.reports.formats import grouped

    share = document["disk_bytes"] / document["paper_bytes"]
    lines = [
        ("chunks", f"{grouped(document['chunks'])} of {document['chunk_tokens']} tokens"),
        ("documents", f"{grouped(document['documents'])}, {grouped(document['tokens'])} tokens"),
        ("embedder", f"{document['embedder']['name']}, {document['embedder']['dimensions']} dimensions"),
        (
            "bytes",
            f"{grouped(document['disk_bytes'])}, {share:.2f} times the {grouped(document['paper_bytes'])} of "
            "tokens, documents and vectors",
        ),
        *(("index", index_line(index)) for index in document["indexes"]),
        ("database", document["folder"]),
    ]
    return "\n".join(f"{name:>10}  {value}" for name, value in lines)


def index_line(index: dict[str, Any]) -> str:
    """The kind of an index and its recall."""
    if not index["sample"]:
        return f"{index['kind']}, exact"
    return (
        f"{index['kind']}, recall@2 {index['recall_at_2']:.3f} and recall@10 {index['recall_at_10']:.3f}, measured "
        f"with {index['sample']} vectors"
    )
