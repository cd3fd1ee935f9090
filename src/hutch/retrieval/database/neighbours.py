"""Neighbours for training: for each chunk of a shard's token stream its k best in a database, computed once and kept.

Chunk u is tokens[m u : m (u + 1)] of the flat stream, across documents as they come, so that the table is aligned
with the windows that a model reads; an incomplete chunk at the end is left out. A chunk gets no neighbour from any
document that it overlaps, nor, with a `context` of c tokens, from any that a training window with the chunk in it can
overlap. Such windows hold c tokens and start at any multiple of m, so that together they cover
[m u − (c − m), m u + c); the stream is a ring, whose last tokens are followed by its first (Borgeaud et al. 2022,
§2.3: the neighbours of the whole sequence's document are dropped, not just the next chunk).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hutch.retrieval.database.blocks import BlockFile, MakeRows, fill_here, fill_in_processes, sweep
from hutch.retrieval.database.config import Progress, Retriever, silent
from hutch.retrieval.database.database import ChunkDatabase
from hutch.retrieval.database.documents import DocumentWindows
from hutch.retrieval.index.building import faiss_threads
from hutch.runs.atomic import read_json, write_json
from hutch.runs.errors import BadInput, HutchError
from hutch.runs.locks import exclusive
from hutch.text.shards import Shard, check_size, checksum

FORMAT = "hutch neighbours 1"
TABLE, MANIFEST, ASKED = "neighbours.npy", "manifest.json", "join.json"
ROWS_COUNTED_AT_ONCE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class JoinConfig:
    """What decides a table of neighbours besides shard and database."""

    k: int = 2
    """Neighbours of a chunk."""
    context: int | None = None
    """c: tokens of a training window, which may start at any chunk. The documents of all windows with the chunk in them
    are excluded; None: only those of the chunk itself."""
    retriever: Retriever | None = None
    """None: the one that the database was built for."""
    block: int = 4096
    """Chunks that are joined at once; a killed join goes on from its last whole block."""

    def __post_init__(self) -> None:
        for name in ("k", "block"):
            if getattr(self, name) < 1:
                raise BadInput(f"{name} is {getattr(self, name)}; it must be at least 1")


@dataclass(frozen=True)
class NeighbourTable:
    """The opened table."""

    folder: Path
    ids: np.ndarray
    """int32 or int64 [chunks of the shard, k], a read-only map: chunks of the database, −1 where there are fewer."""
    manifest: dict[str, Any]

    @classmethod
    def open(cls, folder: Path | str, shard: Shard, database: ChunkDatabase) -> "NeighbourTable":
        """Map a table. Raises BadInput where it is none or not one of this shard and this database (as far as it is
        searched), HutchError, naming the file, where it is unfinished, truncated or damaged."""
        folder = Path(folder)
        if not (folder / MANIFEST).exists():
            if (folder / ASKED).exists():
                raise HutchError(f"{folder} holds neighbours that are not finished: run the same join again to go on")
            raise BadInput(f"{folder} holds no neighbours (there is no {MANIFEST}): join a shard with a database first")
        manifest = read_json(folder / MANIFEST)
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise HutchError(f"{folder / MANIFEST} does not describe neighbours of the format {FORMAT!r}")
        for name, found in (("shard", key_of(shard)), ("database", database.digest)):
            if manifest["asked"][name] != found:
                raise BadInput(f"{folder} holds neighbours of another {name} ({manifest['asked'][name]}, not {found})")
        check_size(folder / TABLE, manifest["size"])
        try:
            ids = np.load(folder / TABLE, mmap_mode="r", allow_pickle=False)
        except ValueError as error:
            raise HutchError(f"{folder / TABLE} is damaged: {error}") from error
        return cls(folder, ids, manifest)

    @property
    def short(self) -> int:
        """Chunks with fewer than k neighbours."""
        return self.manifest["short"]

    def verify(self) -> None:
        """Read the table and compare with its checksum; HutchError where its content changed."""
        if checksum(self.folder / TABLE) != self.manifest["checksum"]:
            raise HutchError(f"{self.folder / TABLE} is damaged: its content has changed since it was written")


def join_neighbours(
    shard: Shard,
    database: ChunkDatabase,
    folder: Path | str,
    *,
    config: JoinConfig | None = None,
    workers: int = 1,
    on_progress: Progress | None = None,
) -> NeighbourTable:
    """Join a shard with a database, go on with it, or open it when it is there already.

    The result depends on neither `workers` (processes) nor on kills. Raises BadInput where shard and database have
    different tokenizers, `context` is no multiple of the chunk, the shard has no whole chunk, k is larger than the
    database, or the folder holds the neighbours of something else.
    """
    config, report = config or JoinConfig(), on_progress or silent

    def fill(file: BlockFile, dtype: np.dtype) -> None:
        fill_table(file, shard, database, config, dtype, workers, report)

    return join_by(fill, shard, database, folder, config)


def join_by(
    fill: Callable[[BlockFile, np.dtype], None],
    shard: Shard,
    database: ChunkDatabase,
    folder: Path | str,
    config: JoinConfig,
) -> NeighbourTable:
    """The join whose blocks `fill` fills, of ids in the type that it is given; see `join_neighbours`."""
    folder, rows = Path(folder), check_join(shard, database, config)
    asked = {
        "shard": key_of(shard),
        "database": database.digest,
        "chunk": database.config.chunk,
        "k": config.k,
        "context": config.context,
        "retriever": config.retriever or database.config.retriever,
    }
    with exclusive(folder, "join"):
        kept = next((folder / name for name in (MANIFEST, ASKED) if (folder / name).exists()), None)
        if kept is not None:
            check_asked(folder, read_json(kept), asked, config.block)
        if not (folder / MANIFEST).exists():
            write_json(folder / ASKED, {"asked": asked, "block": config.block})
            sweep(folder)
            dtype = np.dtype("<i4" if len(database) < 2**31 else "<i8")
            header = npy_header(dtype, (rows, config.k))
            fill(BlockFile(folder / TABLE, header, rows, config.k * dtype.itemsize, config.block), dtype)
            write_json(folder / MANIFEST, described(folder, asked))
        (folder / ASKED).unlink(missing_ok=True)
    return NeighbourTable.open(folder, shard, database)


def check_join(shard: Shard, database: ChunkDatabase, config: JoinConfig) -> int:
    """The number of whole chunks in the shard, if it can be joined."""
    chunk = database.config.chunk
    if shard.tokenizer_digest != database.tokenizer.digest:
        raise BadInput(
            f"{shard.folder} was encoded by tokenizer {shard.tokenizer_digest}, {database.folder} by "
            f"{database.tokenizer.digest}: they cannot be joined"
        )
    if config.context is not None and (config.context < chunk or config.context % chunk):
        raise BadInput(f"context is {config.context}; it must be a multiple of the {chunk} tokens of a chunk")
    if config.k > len(database):
        raise BadInput(f"k is {config.k}, but the database holds {len(database)} chunks")
    if len(shard.tokens) < chunk:
        raise BadInput(f"{shard.folder} has {len(shard.tokens)} tokens, less than a chunk of {chunk}")
    return len(shard.tokens) // chunk


def key_of(shard: Shard) -> str:
    """What names the tokens and documents of a shard."""
    return " ".join(shard.manifest["checksums"][name] for name in ("tokens.bin", "documents.npy"))


def check_asked(folder: Path, kept: dict[str, Any], asked: dict[str, Any], block: int) -> None:
    """Raise BadInput, naming the first difference, where `folder` holds another join."""
    before, now = dict(kept.get("asked") or {}), dict(asked)
    if "block" in kept:
        before["block"], now["block"] = kept["block"], block
    for name, value in now.items():
        if before.get(name) != value:
            raise BadInput(
                f"{folder} holds neighbours with {name} {before.get(name)}, not {value}: choose another folder, or "
                "remove this one"
            )


def fill_table(
    file: BlockFile,
    shard: Shard,
    database: ChunkDatabase,
    config: JoinConfig,
    dtype: np.dtype,
    workers: int,
    report: Progress,
) -> None:
    """Write the table, block by block, here or in processes."""

    def tell(done: int) -> None:
        report("joining", done, file.rows)

    if workers > 1:
        arguments = (shard.folder, database.folder, database.limit, config, dtype.str)
        fill_in_processes(file, open_join, arguments, workers=workers, tell=tell)
    else:
        fill_here(file, joiner(shard, database, config, dtype), tell)


def npy_header(dtype: np.dtype, shape: tuple[int, ...]) -> bytes:
    """The first bytes of a .npy file."""
    import io

    buffer = io.BytesIO()
    description = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, description)
    return buffer.getvalue()


def open_join(arguments: tuple[Path, Path, int | None, JoinConfig, str]) -> MakeRows:
    """What a worker joins with: shard and database opened anew."""
    shard_folder, database_folder, limit, config, dtype = arguments
    database = ChunkDatabase.open(database_folder)
    return joiner(
        Shard.open(shard_folder), database if limit is None else database.limited(limit), config, np.dtype(dtype)
    )


def joiner(shard: Shard, database: ChunkDatabase, config: JoinConfig, dtype: np.dtype) -> MakeRows:
    """What makes the rows start … stop − 1 of the table."""
    chunk, windows = database.config.chunk, DocumentWindows(shard)
    excluded = excluded_by(windows, chunk, config.context)

    def make(start: int, stop: int) -> np.ndarray:
        queries = shard.tokens[start * chunk : stop * chunk].reshape(-1, chunk).astype(np.int64)
        # One thread: with more, sums in the exact search may be rounded otherwise.
        with faiss_threads(1):
            found = database.search(
                queries, config.k, exclude_documents=excluded(start, stop), retriever=config.retriever
            )
        return found.ids.astype(dtype)

    return make


def excluded_by(windows: DocumentWindows, chunk: int, context: int | None) -> Callable[[int, int], np.ndarray]:
    """(start, stop) to the hashes that those chunks may not find."""
    around = (context or chunk) - chunk

    def excluded(start: int, stop: int) -> np.ndarray:
        starts = np.arange(start, stop) * chunk
        # The earliest window ends with the chunk, the latest starts with it.
        return windows.overlapping_on_ring(starts - around, starts + chunk + around)

    return excluded


def described(folder: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """The manifest of a table that is written."""
    ids = np.load(folder / TABLE, mmap_mode="r", allow_pickle=False)
    blocks = range(0, len(ids), ROWS_COUNTED_AT_ONCE)
    return {
        "format": FORMAT,
        "asked": asked,
        "rows": len(ids),
        "short": sum(int((ids[i : i + ROWS_COUNTED_AT_ONCE] < 0).any(axis=1).sum()) for i in blocks),
        "size": (folder / TABLE).stat().st_size,
        "checksum": checksum(folder / TABLE),
    }
