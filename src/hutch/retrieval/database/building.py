"""Build a database from shards, and append to one. Both go on where a killed process stopped."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hutch.retrieval.database.blocks import sweep
from hutch.retrieval.database.chunks import ChunkTable
from hutch.retrieval.database.config import DatabaseConfig, Progress, silent
from hutch.retrieval.database.database import ChunkDatabase
from hutch.retrieval.database.opening import BUILD, CORPUS, EMBEDDER_GIVEN, FORMAT, SEGMENTS, read_manifest
from hutch.retrieval.database.segment_building import ORIGIN, embed_chunks, finish_segment, origin_of, take_texts
from hutch.retrieval.embedders.bm25 import Bm25
from hutch.retrieval.embedders.protocol import Embedder
from hutch.retrieval.embedders.saved import open_embedder
from hutch.retrieval.embedders.static import StaticConfig, StaticEmbedder
from hutch.runs.atomic import read_json, write_json
from hutch.runs.configuration import digest, plain
from hutch.runs.errors import BadInput
from hutch.runs.locks import exclusive
from hutch.runs.seeds import generator
from hutch.text.corpora import Corpus
from hutch.text.shards import Shard
from hutch.text.tokenizer import Tokenizer

Texts = Shard | Corpus | Sequence[Shard]
"""A shard, a corpus (its training shard), or several shards, a segment each."""
LEARNED = "learned.json"
"""What an unfinished build has learned from its first shard."""
READ_AT_ONCE = 65_536


def shards_of(texts: Texts) -> list[Shard]:
    """The shards, at least one."""
    found = [texts.train] if isinstance(texts, Corpus) else [texts] if isinstance(texts, Shard) else list(texts)
    if not found:
        raise BadInput("no shard is given to make a database of")
    return found


def build_database(
    texts: Texts,
    tokenizer: Tokenizer,
    folder: Path | str,
    *,
    embedder: Embedder | StaticConfig | None = None,
    config: DatabaseConfig | None = None,
    workers: int = 1,
    threads: int = 1,
    on_progress: Progress | None = None,
) -> ChunkDatabase:
    """Build the database in `folder`, go on with it, or open it when it is there already.

    Args:
        embedder: None learns static word vectors from the first shard, a `StaticConfig` does so by its settings.
        workers: processes that embed; the result does not depend on it.
        threads: threads of faiss that index; on one the same build gives the same bytes.

    Raises:
        BadInput: the folder holds another database, or another unfinished one; a shard is of another tokenizer.
    """
    folder, config, report = Path(folder), config or DatabaseConfig(), on_progress or silent
    shards = shards_of(texts)
    for shard in shards:
        check_shard(shard, tokenizer.digest)
    asked = {
        "config": plain(config),
        "tokenizer": tokenizer.digest,
        "embedder": embedder_key(embedder),
        "shards": [origin_of(shard, config.documents) for shard in shards],
    }
    with exclusive(folder, "build"):
        if (folder / "manifest.json").exists():
            check_same(folder, read_manifest(folder)["built"], asked)
        else:
            if (folder / BUILD).exists():
                check_same(folder, read_json(folder / BUILD), asked)
            else:
                check_empty(folder)
            write_json(folder / BUILD, asked)
            sweep(folder)
            tokenizer.save(folder / "tokenizer.json")
            known = learned(folder, shards[0], tokenizer, embedder, config)
            add_segments(folder, shards, known, config, asked, [], workers, threads, report)
        for name in (BUILD, LEARNED):
            (folder / name).unlink(missing_ok=True)
    given = embedder if isinstance(embedder, Embedder) else None
    return ChunkDatabase.open(folder, tokenizer_digest=tokenizer.digest, embedder=given)


def append_to_database(
    texts: Texts,
    folder: Path | str,
    *,
    embedder: Embedder | None = None,
    workers: int = 1,
    threads: int = 1,
    on_progress: Progress | None = None,
) -> ChunkDatabase:
    """Add the chunks of more shards as new segments; nothing of the old ones changes, nor do their ids.

    The embedder and the weights of BM25 stay as the build left them. A shard that is already in is not added again.
    Raises BadInput for another tokenizer or embedder, or an unfinished append of another shard.
    """
    folder, report = Path(folder), on_progress or silent
    with exclusive(folder, "build"):
        database = ChunkDatabase.open(folder, embedder=embedder)
        sweep(folder)
        config, manifest = database.config, database.manifest
        there = [segment.manifest["origin"] for segment in database.segments]
        shards = [shard for shard in shards_of(texts) if origin_of(shard, config.documents) not in there]
        for shard in shards:
            check_shard(shard, database.tokenizer.digest)
        known = (database.embedder, manifest["embedder"]["saved"], database.bm25, manifest["bm25"])
        if shards:
            add_segments(
                folder, shards, known, config, manifest["built"], manifest["segments"], workers, threads, report
            )
    return ChunkDatabase.open(folder, embedder=embedder)


Known = tuple[Embedder, dict[str, Any], Bm25, dict[str, Any]]
"""The embedder and what opens it, BM25 and what opens that."""


def learned(
    folder: Path, shard: Shard, tokenizer: Tokenizer, embedder: Embedder | StaticConfig | None, config: DatabaseConfig
) -> Known:
    """Learn what a database learns from its first shard, or open what an earlier process learned."""
    path = folder / LEARNED
    if path.exists():
        saved = read_json(path)
        known = embedder if isinstance(embedder, Embedder) else open_embedder(folder, saved["embedder"])
        return known, saved["embedder"], Bm25.load(folder, saved["bm25"], tokenizer.vocabulary), saved["bm25"]
    documents = shard.documents[: config.documents]
    table = ChunkTable(documents, config.chunk)
    if not isinstance(embedder, Embedder):
        embedder = learn_static(table, shard, tokenizer, embedder or StaticConfig(), config.chunk)
    bm25 = Bm25.learn(chunk_blocks(table, shard, config.chunk), tokenizer.vocabulary)
    saved = {"embedder": embedder.save(folder), "bm25": bm25.save(folder)}
    write_json(path, saved)
    return embedder, saved["embedder"], bm25, saved["bm25"]


def learn_static(
    table: ChunkTable, shard: Shard, tokenizer: Tokenizer, static: StaticConfig, chunk: int
) -> StaticEmbedder:
    """From at most `static.chunks` chunks of the shard, drawn at random."""
    if not len(table):
        raise BadInput(f"{shard.folder} has no token to make a chunk of")
    size = min(static.chunks, len(table))
    drawn = np.sort(generator("static", static.seed).choice(len(table), size, replace=False))
    return StaticEmbedder.learn(table.read(shard.tokens, drawn, chunk), tokenizer, static)


def chunk_blocks(table: ChunkTable, shard: Shard, chunk: int) -> Iterator[np.ndarray]:
    """The tokens of all chunks in blocks [n, m]."""
    for start in range(0, len(table), READ_AT_ONCE):
        yield table.read(shard.tokens, np.arange(start, min(start + READ_AT_ONCE, len(table))), chunk)


def add_segments(
    folder: Path,
    shards: Sequence[Shard],
    known: Known,
    config: DatabaseConfig,
    built: dict[str, Any],
    before: list[dict[str, Any]],
    workers: int,
    threads: int,
    report: Progress,
) -> None:
    """Make a segment of each shard, then name them all in the database's manifest, which is written last."""
    embedder, saved, bm25, bm25_saved = known
    segments = list(before)
    for shard in shards:
        name = f"{len(segments):06d}"
        place = folder / SEGMENTS / name
        if not (place / "manifest.json").exists():
            take_texts(shard, config, place)
            embed_chunks(place, shard, embedder, config, saved, workers, report)
            report("indexing", 0, 1)
            finish_segment(place, shard, embedder, config, bm25, threads)
            report("indexing", 1, 1)
        (place / ORIGIN).unlink(missing_ok=True)
        made = read_json(place / "manifest.json")
        if made["origin"] != origin_of(shard, config.documents):
            raise BadInput(f"{place} holds another shard than {shard.folder}: append that first, or remove {place}")
        segments.append({"name": name, "chunks": made["chunks"], "digest": digest(made)})
    manifest = {
        "format": FORMAT,
        "built": built,
        "tokenizer": built["tokenizer"],
        "embedder": {
            "name": embedder.name,
            "dimensions": embedder.dimensions,
            "digest": embedder.digest,
            "saved": saved if "kind" in saved else {"kind": EMBEDDER_GIVEN},
        },
        "bm25": bm25_saved,
        "segments": segments,
    }
    write_json(folder / "manifest.json", manifest)


def embedder_key(embedder: Embedder | StaticConfig | None) -> Any:
    """What names the embedder that is asked for: its digest, or the settings that one is learned by."""
    return embedder.digest if isinstance(embedder, Embedder) else plain(embedder or StaticConfig())


def check_shard(shard: Shard, tokenizer_digest: str) -> None:
    """Raise BadInput where the shard was encoded by another tokenizer than the database's."""
    if shard.tokenizer_digest != tokenizer_digest:
        raise BadInput(
            f"{shard.folder} was encoded by tokenizer {shard.tokenizer_digest}, not by {tokenizer_digest}: "
            "a database has one tokenizer"
        )


def check_empty(folder: Path) -> None:
    """Raise BadInput where there is something in `folder` that no build left there; hidden files do not count."""
    found = sorted(p.name for p in folder.iterdir() if not p.name.startswith(".") and p.name != CORPUS)
    if found:
        raise BadInput(f"{folder} holds something else than a database ({found[0]}): choose another folder")


def check_same(folder: Path, before: dict[str, Any], asked: dict[str, Any]) -> None:
    """Raise BadInput, naming the first difference, where `folder` holds what another build asked for."""
    for name in asked:
        if before.get(name) != asked[name]:
            raise BadInput(
                f"{folder} holds a database with another {name} ({short(before.get(name))}, asked for "
                f"{short(asked[name])}): choose another folder, or remove this one"
            )


def short(value: Any) -> str:
    """A digest where a value is long."""
    return value if isinstance(value, str) else digest(value)
