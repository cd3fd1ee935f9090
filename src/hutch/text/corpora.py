"""A corpus: documents in; a tokenizer, a training shard and a holdout shard out, in one folder.

    folder/tokenizer.json   trained on training documents only, or given
    folder/train/           a shard in training order
    folder/holdout/         a shard in the order of the document hashes, long documents cut
    folder/manifest.json    written last: what is in it, from where, under which licence

Bits per byte on the holdout are the summed loss of the text tokens / (ln 2 · `documents["bytes"]`): the
bytes are those of the raw text behind the tokens, also where a document is cut.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from hutch.runs.atomic import read_json, write_json
from hutch.runs.configuration import digest, plain
from hutch.runs.errors import BadInput, HutchError
from hutch.text.documents import Document, printable
from hutch.text.files import exists
from hutch.text.shards import Shard, ShardWriter, subset_totals
from hutch.text.sources import Source, fingerprint, local_path, read_source
from hutch.text.splits import holdout_mask, scored_documents, training_order
from hutch.text.spool import NAMES_KEPT, Spool, SubsetNotes, listed
from hutch.text.tokenizer import SMALLEST_VOCABULARY, Tokenizer

FORMAT = "hutch corpus 1"
SMALLEST_TRAIN_TOKENS = 10_000
"""A corpus with fewer training tokens is refused: nothing can be learned from it."""
ENCODED_AT_ONCE = 4_000_000
"""Bytes of text handed to the tokenizer in one batch."""

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total): "reading" in documents (total 0: unknown), "learning the tokenizer" in
steps, "encoding" in bytes."""


@dataclass(frozen=True, kw_only=True)
class CorpusConfig:
    """Everything that decides what a corpus holds."""

    source: str = "embedded"
    """Where the documents come from, see `hutch.text.sources.read_source`."""

    subsets: tuple[str, ...] | None = None
    """Keep only these subsets of the source; None: all."""

    tokenizer: str | None = None
    """`Tokenizer.digest` of the tokenizer that is given to `build_corpus`, see `encoded_by`; None: one is learned."""

    vocabulary: int = 2048
    """Tokens of the vocabulary, with the 256 bytes and the end of document; of a tokenizer that is given, its own."""

    holdout_fraction: float = 0.05
    """Share of the documents that is held out, between 0 and 1."""

    train_tokens: int | None = None
    """Encode only as many training documents as are needed for so many tokens; None: all. A corpus that has
    fewer is no error, its manifest says how many there are."""

    holdout_document_tokens: int = 4096
    """Holdout documents are cut to so many tokens (and then end like all others), so that a few long ones
    do not decide the loss."""

    holdout_documents: int | None = None
    """Keep at most so many holdout documents of each subset for scoring, None: all; the others are set aside, and
    so are those of a subset of which `train_tokens` leaves nothing to train on."""

    tokenizer_bytes: int = 12_000_000
    """Bytes of training text that the tokenizer learns from; without effect where one is given."""

    seed: int = 0
    """Seed of the order of the training documents; the split does not depend on it."""

    def __post_init__(self) -> None:
        if not 0 < self.holdout_fraction < 1:
            raise BadInput(f"holdout_fraction is {self.holdout_fraction}; it must lie between 0 and 1")
        least = {
            "vocabulary": SMALLEST_VOCABULARY,
            "holdout_document_tokens": 1,
            "holdout_documents": 1,
            "tokenizer_bytes": 1,
            "train_tokens": SMALLEST_TRAIN_TOKENS,
        }
        for name, smallest in least.items():
            value = getattr(self, name)
            if value is not None and value < smallest:
                raise BadInput(f"{name} is {value}; it must be at least {smallest:,}")
        if self.subsets is not None and not self.subsets:
            raise BadInput("subsets is empty; name at least one, or None for all")

    def encoded_by(self, tokenizer: Tokenizer) -> "CorpusConfig":
        """The same corpus, encoded by `tokenizer`, which is to be given to `build_corpus` too."""
        return replace(self, tokenizer=tokenizer.digest, vocabulary=tokenizer.vocabulary)


@dataclass(frozen=True)
class Corpus:
    """A corpus that is whole."""

    folder: Path
    tokenizer: Tokenizer
    train: Shard
    """Documents in training order."""
    holdout: Shard
    """Documents in the order of their hashes, cut to `holdout_document_tokens`."""
    manifest: dict[str, Any]
    """`subsets` (per subset: licence, source, description, documents, bytes, train_*, holdout_*, duplicates,
    empty), `missing` (subset: reason), `skipped` (ending: files of no known kind), `train`, `holdout` (documents,
    tokens, bytes), `bytes_per_token`, `config`, `config_digest`, `content_digest`, `tokenizer`, `fingerprint` (of
    a source that is a file or a folder, else null)."""

    @classmethod
    def open(cls, folder: Path | str) -> "Corpus":
        """Open what `build_corpus` built. Raises BadInput when there is no corpus, HutchError when a file of
        it is truncated or does not fit the others."""
        folder = Path(folder)
        path = folder / "manifest.json"
        if not exists(path):
            raise BadInput(f"{folder} holds no corpus (there is no manifest.json): build one first")
        try:
            manifest = read_json(path)
            if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
                raise HutchError(f"{path} does not describe a corpus of the format {FORMAT!r}")
            tokenizer = Tokenizer.load(folder / "tokenizer.json")
            train = Shard.open(folder / "train", manifest["tokenizer"])
            holdout = Shard.open(folder / "holdout", manifest["tokenizer"])
            if tokenizer.digest != manifest["tokenizer"]:
                raise HutchError(f"{folder / 'tokenizer.json'} is not the tokenizer of the shards")
        except HutchError as error:
            raise HutchError(f"{error}: remove {folder} and run the same command again") from error
        return cls(folder, tokenizer, train, holdout, manifest)

    @property
    def digest(self) -> str:
        """Names the content: equal digests mean equal shards and tokenizer."""
        return digest([self.manifest["config_digest"], self.manifest["content_digest"], self.manifest["tokenizer"]])


def build_corpus(
    config: CorpusConfig,
    folder: Path | str,
    *,
    tokenizer: Tokenizer | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Corpus:
    """Build the corpus in `folder`, or open it when it is there already.

    With a `tokenizer` none is learned: `config.encoded_by(tokenizer)` is the configuration to give.

    An interrupted build starts over. The result depends on neither `workers` (threads that encode), the order in
    which documents are read, nor the machine, except for the Python version where the source is its library.

    Raises:
        BadInput: the folder holds a corpus of another configuration or of a file or folder that has changed since;
            it lies in the source; the source cannot be read, is empty or too small; the vocabulary is larger than
            the text supports; the tokenizer is not the one of the configuration, or cannot write one of the texts.
    """
    folder = Path(folder)
    if tokenizer:
        refuse_other_tokenizer(config, tokenizer)
    if exists(folder / "manifest.json"):
        return matching(Corpus.open(folder), config)
    if config.tokenizer and not tokenizer:
        raise BadInput(f"tokenizer is {config.tokenizer!r}: give the tokenizer of that digest, or None to learn one")
    report = progress or silent
    source = read_source(config.source, config.subsets)
    if source.fingerprint and folder.resolve().is_relative_to(source.fingerprint["place"]):
        raise BadInput(f"{folder} lies in the source {source.name}, which it would change: choose a folder outside it")
    with Spool(folder) as spool:
        documents = source.documents() if tokenizer is None else writable(source.documents(), tokenizer)
        spool.fill(watched(documents, report))
        mask, order = sides(spool, config, source.name)
        if tokenizer is None:
            report("learning the tokenizer", 0, 1)
            tokenizer = Tokenizer.train(texts_up_to(spool, order, config.tokenizer_bytes), config.vocabulary)
            report("learning the tokenizer", 1, 1)
        content = spool.digest()
        writer = ShardWriter(folder / "train", tokenizer, spool.names, content)
        write_shard(writer, spool, order, workers=workers, tokens=config.train_tokens, report=report)
        if writer.tokens < SMALLEST_TRAIN_TOKENS:
            raise BadInput(
                f"{source.name} gives {writer.tokens:,} training tokens; "
                f"a corpus needs at least {SMALLEST_TRAIN_TOKENS:,}: give more text"
            )
        held_out = of_subsets_in(mask, spool.subsets, order[: writer.documents])
        scored = scored_documents(held_out, spool.hashes, spool.subsets, config.holdout_documents)
        writer = ShardWriter(folder / "holdout", tokenizer, spool.names, content)
        write_shard(writer, spool, scored, workers=workers, document_tokens=config.holdout_document_tokens)
        tokenizer.save(folder / "tokenizer.json")
        write_json(folder / "manifest.json", describe(config, source, spool, tokenizer, folder))
    return Corpus.open(folder)


def silent(stage: str, done: int, total: int) -> None:
    """The progress that nobody looks at."""


def refuse_other_tokenizer(config: CorpusConfig, tokenizer: Tokenizer) -> None:
    """Raise BadInput, naming the field, unless the configuration asks for `tokenizer`."""
    own = config.encoded_by(tokenizer)
    for name in ("tokenizer", "vocabulary"):
        asked, given = getattr(config, name), getattr(own, name)
        if asked != given:
            raise BadInput(
                f"{name} is {asked!r}, but {given!r} of the tokenizer that is given: "
                "the configuration must be config.encoded_by(tokenizer)"
            )


def sides(spool: Spool, config: CorpusConfig, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Which documents are held out, as booleans [documents], and the others in training order, as indices."""
    mask = holdout_mask(spool.hashes, spool.subsets, config.holdout_fraction)
    order = training_order(spool.hashes, config.seed)
    order = order[~mask[order]]
    if not len(order) or not mask.any():
        raise BadInput(f"the source {name} holds too few distinct documents ({len(mask)}) to hold some out: give more")
    return mask, order


def of_subsets_in(held_out: np.ndarray, subsets: np.ndarray, trained: np.ndarray) -> np.ndarray:
    """The held-out documents of subsets that `trained` (indices) knows, as booleans [documents]: a loss on text
    unlike any that was trained on would say little. Where none is of such a subset, all of them."""
    known = held_out & np.isin(subsets, subsets[trained])
    return known if known.any() else held_out


def matching(corpus: Corpus, config: CorpusConfig) -> Corpus:
    """The corpus, if it was built by this configuration from the text that is there now; else BadInput names the
    first field that differs, or the text. Text that is there no longer does not matter: the corpus is whole."""
    built, asked = corpus.manifest["config"], settings(config)
    before, now = corpus.manifest.get("fingerprint"), fingerprint(local_path(config.source))
    if before and now and before["place"] == now["place"]:
        asked["source"] = built["source"]  # two ways to write one path
    for name in (field.name for field in fields(config)):
        if built.get(name) != asked.get(name):
            raise BadInput(
                f"{corpus.folder} holds a corpus with {name}={built.get(name)!r}, not {asked.get(name)!r}: "
                "choose another folder, or remove this one"
            )
    if before and now and before | {"place": now["place"]} != now:
        raise BadInput(
            f"the text in {config.source} has changed since the corpus in {corpus.folder} was built: "
            "choose another folder"
        )
    return corpus


def settings(config: CorpusConfig) -> dict[str, Any]:
    """The configuration as the manifest has it."""
    return deciding(config) | {"source": printable(config.source)}


def deciding(config: CorpusConfig) -> dict[str, Any]:
    """The configuration as its digest has it: a tokenizer that is not given is left out, so that corpora from before
    there was the field keep their digests."""
    return {name: value for name, value in plain(config).items() if (name, value) != ("tokenizer", None)}


def writable(documents: Iterable[Document], tokenizer: Tokenizer) -> Iterator[Document]:
    """The documents. Raises BadInput, naming it, for one that `tokenizer` could not give back."""
    for document in documents:
        try:
            tokenizer.check(document.text)
        except BadInput as error:
            raise BadInput(f"{document.key} (subset {document.subset}): {error}") from error
        yield document


def watched(documents: Iterable[Document], report: Progress) -> Iterator[Document]:
    """The documents, with a report every 100."""
    count = 0
    for document in documents:
        yield document
        count += 1
        if count % 100 == 0:
            report("reading", count, 0)
    report("reading", count, count)


def texts_up_to(spool: Spool, order: np.ndarray, size: int) -> Iterator[str]:
    """Texts in training order until `size` bytes are reached; the last one is cut there."""
    for index in order:
        text = spool.read(int(index))
        length = len(text.encode())
        yield text if length <= size else text.encode()[:size].decode(errors="ignore")
        size -= length
        if size <= 0:
            return


def write_shard(
    writer: ShardWriter,
    spool: Spool,
    order: np.ndarray,
    *,
    workers: int,
    tokens: int | None = None,
    document_tokens: int | None = None,
    report: Progress = silent,
) -> None:
    """Encode the documents in order: all, or until the shard has `tokens`; each cut to `document_tokens`."""
    lengths = spool.sizes[order]
    total, done = int(lengths.sum()), 0
    groups = np.cumsum(lengths) // ENCODED_AT_ONCE
    with writer:
        for group in np.unique(groups):
            batch = order[groups == group]
            texts = [spool.read(int(index)) for index in batch]
            for index, ids in zip(batch, writer.tokenizer.encode_batch(texts, workers), strict=True):
                writer.add(ids[:document_tokens], int(spool.subsets[index]))
                if tokens is not None and writer.tokens >= tokens:
                    report("encoding", total, total)
                    return
            done += int(lengths[groups == group].sum())
            report("encoding", done, total)


def describe(config: CorpusConfig, source: Source, spool: Spool, tokenizer: Tokenizer, folder: Path) -> dict[str, Any]:
    """The manifest of a corpus whose shards are written."""
    shards = {name: Shard.open(folder / name) for name in ("train", "holdout")}
    totals = {side: dict(subset_totals(shard)) for side, shard in shards.items()}
    subsets = {}
    for name, notes in spool.notes.items():
        subsets[name] = subset_entry(notes, source.descriptions.get(name, ""), source.name)
        for side, side_totals in totals.items():
            counts = side_totals.get(name, {"documents": 0, "tokens": 0, "bytes": 0})
            subsets[name] |= {f"{side}_{key}": value for key, value in counts.items()}
    train, holdout = ({key: s.manifest[key] for key in ("documents", "tokens", "bytes")} for s in shards.values())
    return {
        "format": FORMAT,
        "config": settings(config),
        "config_digest": digest(deciding(config)),
        "content_digest": spool.digest(),
        "tokenizer": tokenizer.digest,
        "bytes_per_token": train["bytes"] / (train["tokens"] - train["documents"]),
        "subsets": subsets,
        "missing": source.missing,
        "skipped": source.skipped,
        "fingerprint": source.fingerprint,
        "train": train,
        "holdout": holdout,
    }


def subset_entry(notes: SubsetNotes, description: str, source: str) -> dict[str, Any]:
    """What is known of a subset before encoding."""
    return {
        "licence": listed(notes.licences),
        "source": listed(notes.sources) if 0 < len(notes.sources) <= NAMES_KEPT else source,
        "description": description,
        "documents": notes.documents,
        "bytes": notes.bytes,
        "duplicates": notes.duplicates,
        "empty": notes.empty,
    }
