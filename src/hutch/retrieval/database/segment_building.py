"""Make a segment from a shard, step by step; a step whose file is there is not done again."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from hutch.retrieval.database.blocks import BlockFile, MakeRows, fill_here, fill_in_processes
from hutch.retrieval.database.chunks import ChunkTable
from hutch.retrieval.database.config import DatabaseConfig, Progress
from hutch.retrieval.database.documents import document_hashes
from hutch.retrieval.database.segments import DOCUMENTS, FORMAT, HASHES, POSTINGS, TOKENS, VECTORS, read_arrays
from hutch.retrieval.embedders.bm25 import Bm25
from hutch.retrieval.embedders.postings import Postings
from hutch.retrieval.embedders.protocol import Embedder
from hutch.retrieval.embedders.saved import open_embedder
from hutch.retrieval.index.building import build_index
from hutch.retrieval.index.vectors import Vectors, header_of
from hutch.runs.atomic import atomic_path, read_json, write_json
from hutch.runs.errors import BadInput
from hutch.text.shards import Shard, checksum
from hutch.text.tokenizer import Tokenizer

ORIGIN = "origin.json"


def origin_of(shard: Shard, documents: int | None) -> dict[str, Any]:
    """What names the texts of a segment."""
    return {"tokens": shard.manifest["checksums"][TOKENS], "documents": min(documents or len(shard), len(shard))}


def take_texts(shard: Shard, config: DatabaseConfig, folder: Path) -> None:
    """Tokens, table and hashes of the shard's first documents. Raises BadInput where `folder` is for another shard."""
    origin = origin_of(shard, config.documents)
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / ORIGIN).exists():
        write_json(folder / ORIGIN, origin)
    elif read_json(folder / ORIGIN) != origin:
        raise BadInput(
            f"{folder} holds unfinished work on another shard than {shard.folder}: finish that first, or remove it"
        )
    documents = shard.documents[: origin["documents"]]
    if not (folder / TOKENS).exists():
        take_tokens(shard, int(documents["start"][-1] + documents["tokens"][-1]), folder / TOKENS)
    if not (folder / DOCUMENTS).exists():
        save_array(folder / DOCUMENTS, np.asarray(documents))
    if not (folder / HASHES).exists():
        save_array(folder / HASHES, document_hashes(shard.tokens, documents))


def take_tokens(shard: Shard, tokens: int, path: Path) -> None:
    """Link the shard's file where all of it is wanted and the disk can; else copy as much as is."""
    source = shard.folder / TOKENS
    if tokens == len(shard.tokens):
        try:
            # A shard's files are never changed in place: a new one takes another file.
            os.link(source, path)
            return
        except OSError:
            pass
    with atomic_path(path) as temporary, source.open("rb") as read, temporary.open("wb") as write:
        shutil.copyfileobj(read, write, 1 << 20)
        write.truncate(tokens * shard.tokens.itemsize)


def save_array(path: Path, array: np.ndarray) -> None:
    """Write one .npy file, whole or not at all."""
    with atomic_path(path) as temporary, temporary.open("wb") as handle:
        np.save(handle, array)


def embed_chunks(
    folder: Path, shard: Shard, embedder: Embedder, config: DatabaseConfig, described: dict[str, Any], workers: int,
    report: Progress,
) -> None:  # fmt: skip
    """Write vectors.faiss, block by block. `described`: of the embedder, so that workers can open it themselves."""
    arguments = {
        "folder": folder,
        "dtype": shard.tokens.dtype.str,
        "chunk": config.chunk,
        "database": folder.parent.parent,
        "embedder": described,
    }
    chunks = len(ChunkTable(np.load(folder / DOCUMENTS, mmap_mode="r"), config.chunk))
    if not chunks:
        raise BadInput(f"{shard.folder} has no token to make a chunk of")
    header = header_of(chunks, embedder.dimensions)
    file = BlockFile(folder / VECTORS, header, chunks, 2 * embedder.dimensions, config.block)

    def tell(done: int) -> None:
        report("embedding", done, chunks)

    if workers > 1:
        fill_in_processes(file, open_embedding, arguments, workers=workers, tell=tell)
    else:
        fill_here(file, open_embedding(arguments, embedder), tell)


def open_embedding(arguments: dict[str, Any], embedder: Embedder | None = None) -> MakeRows:
    """What makes the vectors, float16, of chunks start … stop − 1."""
    database = arguments["database"]
    tokenizer = Tokenizer.load(database / "tokenizer.json")
    embedding = embedder or open_embedder(database, arguments["embedder"])
    tokens, documents, _ = read_arrays(arguments["folder"], np.dtype(arguments["dtype"]))
    table = ChunkTable(documents, arguments["chunk"])

    def make(start: int, stop: int) -> np.ndarray:
        chunks = table.read(tokens, np.arange(start, stop), arguments["chunk"])
        return embedding.embed(chunks, tokenizer).astype(np.float16)

    return make


def finish_segment(
    folder: Path, shard: Shard, embedder: Embedder, config: DatabaseConfig, weights: Bm25, threads: int
) -> dict[str, Any]:
    """Index the vectors, and last write the manifest, which is returned."""
    tokens, documents, _ = read_arrays(folder, shard.tokens.dtype)
    table = ChunkTable(documents, config.chunk)
    if config.retriever == "bm25" and not (folder / POSTINGS / "offsets.npy").exists():
        Postings.build(
            lambda a, b: table.read(tokens, np.arange(a, b), config.chunk), len(table), weights, folder / POSTINGS
        )
    vectors = Vectors.open(folder / VECTORS, len(table), embedder.dimensions)
    index = build_index(vectors, config.index, folder, threads)
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    names = [name for name in names if name not in (ORIGIN, "manifest.json")]
    manifest = {
        "format": FORMAT,
        "origin": origin_of(shard, config.documents),
        "source": shard.source_digest,
        "subsets": list(shard.subsets),
        "documents": len(documents),
        "chunks": len(table),
        "dtype": shard.tokens.dtype.str,
        "dimensions": embedder.dimensions,
        "index": index,
        "sizes": {name: (folder / name).stat().st_size for name in names},
        "checksums": {name: checksum(folder / name) for name in names},
    }
    write_json(folder / "manifest.json", manifest)
    return manifest
