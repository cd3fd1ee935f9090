"""Read a database's manifest and refuse what does not belong together."""

from pathlib import Path
from typing import Any

from hutch.retrieval.database.segments import Segment
from hutch.retrieval.embedders.protocol import Embedder
from hutch.runs.atomic import read_json
from hutch.runs.configuration import digest
from hutch.runs.errors import BadInput, HutchError

FORMAT = "hutch chunk database 1"
SEGMENTS = "segments"
BUILD = "build.json"
"""What an unfinished build was asked for."""
CORPUS = "corpus"
"""A folder that may lie in the database's: the corpus that was made for it alone."""
EMBEDDER_GIVEN = "given"
"""The kind of an embedder that cannot be opened from the folder."""


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest. Raises BadInput where there is no database, or something else, HutchError where it is unfinished or
    damaged."""
    path = folder / "manifest.json"
    if not path.exists():
        if (folder / BUILD).exists():
            raise HutchError(f"{folder} holds a database that is not finished: run the same build again to go on")
        raise BadInput(f"{folder} holds no database (there is no manifest.json): build one first")
    manifest = read_json(path)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BadInput(f"{path} does not describe a database of the format {FORMAT!r}")
    return manifest


def open_segment(folder: Path, entry: dict[str, Any], chunk: int) -> Segment:
    """A segment, if it is the one that the manifest names."""
    segment = Segment.open(folder / SEGMENTS / entry["name"], chunk)
    if digest(segment.manifest) != entry["digest"]:
        raise HutchError(f"{segment.folder / 'manifest.json'} is not the one that {folder / 'manifest.json'} names")
    return segment


def check_tokenizer(folder: Path, made_with: str, found: str, expected: str | None) -> None:
    """Raise HutchError where the folder's tokenizer is another than the manifest's, BadInput where the one that is
    asked for is."""
    if made_with != found:
        raise HutchError(f"{folder / 'tokenizer.json'} is not the tokenizer of the database")
    if expected not in (None, made_with):
        raise BadInput(f"{folder} was made with tokenizer {made_with}, not with {expected}")


def check_embedder(folder: Path, described: dict[str, Any], embedder: Embedder) -> None:
    """Raise BadInput where `embedder` is not the one that the database was made with."""
    if described["digest"] != embedder.digest:
        raise BadInput(
            f"{folder} was made with the embedder {described['name']} ({described['digest']}), "
            f"not with {embedder.name} ({embedder.digest})"
        )
