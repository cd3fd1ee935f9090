"""`hutch db search`: the chunks that are nearest to a text, with the documents that they stand in."""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hutch.cli.db_corpus import opened_database

if TYPE_CHECKING:
    from rich.console import RenderableType

    from hutch.retrieval.database import ChunkDatabase

MARKED = re.compile(r"\w+")
SHORTEST_MARKED = 4
"""Letters of a word that is marked; shorter ones stand everywhere."""


def add_search(verbs: Any) -> None:
    """Add `search` to the verbs of `hutch db`."""
    search = verbs.add_parser(
        "search",
        help="the chunks nearest to a text",
        description="Search a database for each text and show what was found with its continuation.",
        epilog="example: hutch db search my-database 'the state of the union is strong' -k 3 --page found.html",
    )
    search.add_argument("database", type=Path, metavar="DIR", help="a database")
    search.add_argument("texts", nargs="+", type=_text, metavar="TEXT", help="what to search for")
    search.add_argument("-k", type=int, default=5, metavar="K", help="chunks to find (default: 5)")
    search.add_argument("--retriever", choices=("dense", "reranked", "bm25"), help="(default: the database's)")
    search.add_argument("--page", type=Path, metavar="FILE.html", help="write a page")
    search.add_argument("--json", action="store_true", help="one JSON document on stdout")
    search.set_defaults(call=search_for)


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise argparse.ArgumentTypeError("the text holds bytes that are no UTF-8") from error
    if not text.strip():
        raise argparse.ArgumentTypeError("a text to search for is empty")
    return text


def search_for(options: argparse.Namespace) -> None:
    """Search, and print or draw what was found."""
    from hutch.cli.outputs import check_output

    if options.page is not None:
        check_output(options.page, "--page")
    document = found_in(opened_database(options.database), options.texts, options.k, options.retriever)
    if options.page is not None:
        from hutch.cli.db_page import search_page
        from hutch.runs.atomic import write_text

        write_text(options.page, search_page(document))
        print(f"page: {options.page}", file=sys.stderr)
    if options.json:
        print(json.dumps(document, indent=1))
        return
    from hutch.cli.show import show

    show(on_terminal(document))


def found_in(database: "ChunkDatabase", texts: list[str], k: int, retriever: Any) -> dict[str, Any]:
    """What a search finds for each text, fit for JSON. A text is one query, however many tokens it has."""
    import numpy as np

    rows = [np.array(database.tokenizer.encode(text), np.int64)[None] for text in texts]
    found = [database.search(row, k, retriever=retriever) for row in rows]
    return {
        "database": str(database.folder),
        "chunks": len(database),
        "retriever": retriever or database.config.retriever,
        "queries": [
            {
                "text": text,
                "neighbours": [
                    neighbour(database, int(chunk), float(distance))
                    for chunk, distance in zip(one.ids[0], one.distances[0], strict=True)
                    if chunk >= 0
                ],
            }
            for text, one in zip(texts, found, strict=True)
        ],
    }


def neighbour(database: "ChunkDatabase", chunk: int, distance: float) -> dict[str, Any]:
    """A chunk that was found, and where it stands."""
    import numpy as np

    ids = np.array([chunk])
    number = int(database.document_of(ids)[0])
    document = database.document(number)
    value = database.values(ids)[0]
    own, rest = value[: database.config.chunk], value[database.config.chunk :]
    return {
        "chunk": chunk,
        "distance": distance,
        "document": number,
        "subset": document.subset,
        "place": chunk - document.first_chunk + 1,
        "places": document.chunks,
        "text": database.tokenizer.decode(own[own >= 0]),
        "continuation": database.tokenizer.decode(rest[rest >= 0]),
    }


def measure(retriever: str, distance: float) -> str:
    """What a distance is called: that of BM25 is its score with the sign turned."""
    return f"score {-distance:.1f}" if retriever == "bm25" else f"distance {distance:.3f}"


def where(found: dict[str, Any]) -> str:
    """Where a neighbour stands, in words."""
    return f"{found['subset']}, document {found['document']}, chunk {found['place']} of {found['places']}"


def pieces(text: str, query: str) -> list[tuple[str, bool]]:
    """The text in pieces, and of each whether it is a word that stands in the query too, of four letters or more."""
    known = {word for word in MARKED.findall(query.casefold()) if len(word) >= SHORTEST_MARKED}
    cut: list[tuple[str, bool]] = []
    end = 0
    for match in MARKED.finditer(text):
        if match[0].casefold() in known:
            cut += [(text[end : match.start()], False), (match[0], True)]
            end = match.end()
    return [piece for piece in [*cut, (text[end:], False)] if piece[0]]


def on_terminal(document: dict[str, Any]) -> "RenderableType":
    """What was found, for rich to print: shared words in bold, continuations dim."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    from hutch.cli.stream import CONTROLS

    lines: list[Any] = []
    for query in document["queries"]:
        if len(document["queries"]) > 1:
            lines.append(Text(query["text"], style="bold"))
        if not query["neighbours"]:
            lines.append(Text("nothing in the text can be searched for", style="yellow"))
        for rank, found in enumerate(query["neighbours"], 1):
            lines.append(Text(f"{rank}  {measure(document['retriever'], found['distance'])}  {where(found)}", "cyan"))
            shown = Text()
            for part, style in (("text", ""), ("continuation", "dim")):
                for piece, shared in pieces(found[part], query["text"]):
                    shown.append(CONTROLS.sub("\ufffd", piece), style=f"bold {style}" if shared else style)
            lines.append(Padding(shown, (0, 0, 1, 3)))
    return Group(*lines)
