"""The text that a command reads: a corpus's folder, or text to make a corpus of."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hutch.cli.db_line import WorkLine
    from hutch.retrieval.database import ChunkDatabase
    from hutch.text import Corpus


def is_corpus(place: str) -> bool:
    """Whether there is a manifest, which text has not."""
    return (Path(place) / "manifest.json").is_file()


def corpus_of(place: str, folder: Path, vocabulary: int | None, line: "WorkLine") -> "Corpus":
    """The corpus at `place`, or the one made of the text there in `folder`.

    Raises BadInput for a corpus of another vocabulary, and for text that is missing or too little.
    """
    from hutch.lm.train_request import DEFAULT_VOCABULARY
    from hutch.runs.errors import BadInput
    from hutch.text import Corpus, CorpusConfig, build_corpus

    if not is_corpus(place):
        if not is_corpus(str(folder)):
            line.message(f"preparing the text of {place}")
        return build_corpus(CorpusConfig(source=place, vocabulary=vocabulary or DEFAULT_VOCABULARY), folder)
    corpus = Corpus.open(place)
    if vocabulary not in (None, corpus.tokenizer.vocabulary):
        raise BadInput(
            f"the tokenizer of {place} has {corpus.tokenizer.vocabulary} tokens, not {vocabulary}: "
            "leave --vocabulary out"
        )
    return corpus


def opened_database(folder: Path) -> "ChunkDatabase":
    """The database in `folder`."""
    from hutch.retrieval.database import ChunkDatabase

    return ChunkDatabase.open(folder)


def workers_of(asked: int | None) -> int:
    """Processes: as many as asked for, or one for each core."""
    from hutch.runs.errors import BadInput
    from hutch.runs.machine import usable_cores

    if asked is not None and asked < 1:
        raise BadInput(f"--workers must be at least 1, not {asked}")
    return asked or usable_cores()


def add_workers(parser: Any) -> None:
    """The flag for it."""
    parser.add_argument("--workers", type=int, metavar="N", help="processes (default: one for each core)")
