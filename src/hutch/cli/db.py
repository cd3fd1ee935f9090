"""`hutch db`: chunk databases, search, neighbours for training, leakage."""

from typing import Any

from hutch.cli.db_build import add_build
from hutch.cli.db_leakage import add_leakage
from hutch.cli.db_neighbours import add_neighbours
from hutch.cli.db_search import add_search


def add_commands(rooms: Any) -> None:
    """Add `db` and its verbs to the command line."""
    room = rooms.add_parser(
        "db",
        help="text to retrieve from: build a database, search it, join it with a corpus, find leaks",
        epilog="example: hutch db build my-texts/ --out my-database",
    )
    verbs = room.add_subparsers(dest="verb", required=True, metavar="VERB")
    for add in (add_build, add_search, add_neighbours, add_leakage):
        add(verbs)
