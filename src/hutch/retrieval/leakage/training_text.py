"""The training text in numbered documents, and how its reading is shared among processes.

A document's number tells its part (a file) and its place in it, so that processes that read different parts agree on
the numbers without a count of the documents.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hutch.runs.atomic import read_json
from hutch.runs.errors import BadInput, HutchError
from hutch.text import Corpus, Document, Source, read_source
from hutch.text.corpora import FORMAT as CORPUS_FORMAT
from hutch.text.files import exists
from hutch.text.sources import Part, local_path

PART = 2**32
"""Numbers of one part."""
BLOCK = 16
"""Documents that follow each other and are read by one process, where several share a part."""
BINS_PER_WORKER = 2
"""Tasks for each process: the second one evens out what the sizes did not tell."""


@dataclass(frozen=True)
class Share:
    """What one process reads of a part: of every `processes` blocks of documents that at `turn`."""

    part: int
    turn: int
    processes: int


def training_source(name: str | Path) -> Source:
    """A corpus folder that `hutch.text.build_corpus` built (its training documents), or whatever `read_source` reads.

    Raises BadInput where nothing can be read there.
    """
    if str(name) != "embedded" and not str(name).startswith(("embedded:", "hf:")):
        folder = local_path(str(name))
        if exists(folder / "manifest.json") and is_corpus(folder):
            return Source(str(name), (Part("train", partial(corpus_documents, folder)),))
    return read_source(name)


def is_corpus(folder: Path) -> bool:
    """Whether the manifest there is a corpus's."""
    try:
        manifest = read_json(folder / "manifest.json")
    except HutchError:
        return False
    return isinstance(manifest, dict) and manifest.get("format") == CORPUS_FORMAT


def corpus_documents(folder: Path) -> Iterator[Document]:
    """The training documents of a corpus, back from their tokens."""
    corpus = Corpus.open(folder)
    for number, row in enumerate(corpus.train.documents):
        text = corpus.tokenizer.decode(corpus.train.document(number))
        yield Document(text, corpus.train.subsets[row["subset"]], f"train:{number}")


def numbered(source: Source, shares: Sequence[Share]) -> Iterator[tuple[int, Document]]:
    """The documents of these shares with their numbers, in ascending order when the shares are."""
    for share in shares:
        for place, document in enumerate(source.parts[share.part].read()):
            if place // BLOCK % share.processes == share.turn:
                yield share.part * PART + place, document


def chosen(source: Source, numbers: Sequence[int]) -> Iterator[tuple[int, Document]]:
    """The documents with these numbers, in ascending order; reads the parts that hold them again."""
    wanted: dict[int, set[int]] = {}
    for number in numbers:
        wanted.setdefault(number // PART, set()).add(number % PART)
    for part in sorted(wanted):
        last = max(wanted[part])
        for place, document in enumerate(source.parts[part].read()):
            if place in wanted[part]:
                yield part * PART + place, document
            if place == last:
                break


def shared_among(source: Source, workers: int) -> list[list[Share]]:
    """All parts as tasks of similar size, the largest first: two tasks a worker, or as many as there are parts. Where
    there are fewer parts than workers, all of them read each part and divide its documents."""
    processes = -(-workers // len(source.parts))
    shares = [Share(part, turn, processes) for part in range(len(source.parts)) for turn in range(processes)]
    sizes = part_sizes(source)
    tasks: list[list[Share]] = [[] for _ in range(min(len(shares), BINS_PER_WORKER * workers))]
    loads = [0.0] * len(tasks)
    for share in sorted(shares, key=lambda share: -sizes[share.part]):
        lightest = loads.index(min(loads))
        tasks[lightest].append(share)
        loads[lightest] += sizes[share.part]
    by_load = sorted(range(len(tasks)), key=lambda task: -loads[task])
    return [sorted(tasks[task], key=lambda share: (share.part, share.turn)) for task in by_load]


def part_sizes(source: Source) -> list[int]:
    """Bytes of the file behind each part, 1 where there is none."""
    place = local_path(source.name)
    files = [place if place.is_file() else place / part.name for part in source.parts]
    return [max(1, file.stat().st_size) if file.is_file() else 1 for file in files]


def check_some(documents: int, source: Source) -> None:
    """Raise BadInput where the training text holds no document."""
    if not documents:
        raise BadInput(f"{source.name} holds no documents")
