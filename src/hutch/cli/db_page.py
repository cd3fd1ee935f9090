"""Pages of what was found: self-contained, without scripts."""

from importlib.resources import files
from typing import Any

from hutch.cli.db_search import measure, pieces, where
from hutch.reports.formats import grouped
from hutch.reports.markup import Html, element, joined
from hutch.reports.sections import section

STYLE = """
mark { background: var(--scale-bg); color: inherit; border-radius: 3px; padding: 0 1px; }
.sample .rest { color: var(--muted); }
.found { display: grid; gap: 16px; }
.sides { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 8px 24px; margin: 10px 0 0; }
.sides small { display: block; color: var(--muted); }
.card + .card { margin-top: 0; }
@media (max-width: 820px) { .sides { grid-template-columns: minmax(0, 1fr); } }
"""


def page(title: str, content: Html) -> str:
    """A whole page. Text that is no Unicode, such as a file name may hold, becomes question marks."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{title} – Hutch"),
        element("style", Html(files("hutch.reports").joinpath("page.css").read_text(encoding="utf-8") + STYLE)),
    )
    whole = element("html", joined([head, element("body", element("main", content))]), lang="en")
    return ("<!doctype html>\n" + whole + "\n").encode(errors="replace").decode()


def headline(title: str, above: str, answer: str) -> Html:
    """The top of a page."""
    return element(
        "header",
        element("p", above, class_="eyebrow"),
        element("h1", title),
        element("p", answer, class_="answer"),
    )


def search_page(document: dict[str, Any]) -> str:
    """The page of a search, from what `hutch db search --json` prints."""
    above = f"{document['database']} · {grouped(document['chunks'])} chunks · {document['retriever']}"
    answer = (
        "Each card is a chunk and, paler, its continuation. Words of four letters or more that the search holds too "
        "are marked."
    )
    queries = document["queries"]
    title = queries[0]["text"] if len(queries) == 1 else f"{len(queries)} searches"
    title = title if len(title) < 120 else f"{title[:119]}…"
    body = [
        section(f"query-{number}", query["text"] if len(queries) > 1 else "Nearest first", _found(query, document))
        for number, query in enumerate(queries, 1)
    ]
    return page(title, joined([headline(title, above, answer), *body]))


def _found(query: dict[str, Any], document: dict[str, Any]) -> Html:
    """What was found for one text."""
    if not query["neighbours"]:
        return element("p", "Nothing in the text can be searched for.", class_="why")
    cards = [_card(rank, found, query["text"], document) for rank, found in enumerate(query["neighbours"], 1)]
    return element("div", cards, class_="found")


def _card(rank: int, found: dict[str, Any], query: str, document: dict[str, Any]) -> Html:
    """A neighbour."""
    text = marked(found["text"], query)
    rest = element("span", marked(found["continuation"], query), class_="rest")
    return element(
        "article",
        element("h3", f"{rank} · {measure(document['retriever'], found['distance'])}"),
        element("p", text, rest, class_="sample"),
        element("small", where(found)),
        class_="card",
    )


def marked(text: str, query: str) -> list[Any]:
    """The text with the words that it shares with the query as `<mark>`."""
    return [element("mark", piece) if shared else piece for piece, shared in pieces(text, query)]
