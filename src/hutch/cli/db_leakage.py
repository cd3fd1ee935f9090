"""`hutch db leakage`: what of an evaluation set stands in the training text."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from hutch.cli.db_corpus import add_workers, workers_of


def add_leakage(verbs: Any) -> None:
    """Add `leakage` to the verbs of `hutch db`."""
    leakage = verbs.add_parser(
        "leakage",
        help="what of an evaluation set stands in the training text",
        description="Look for every document of an evaluation set in training text: a verdict for each with the "
        "passages side by side, and r(C), the longest match of each chunk of 64 tokens, where the text is a corpus or "
        "a database.",
        epilog="example: hutch db leakage my-database held-out.jsonl --page leakage.html",
    )
    leakage.add_argument("training", metavar="TRAINING", help="a corpus, a database, or a file or folder of text")
    leakage.add_argument(
        "evaluation",
        nargs="+",
        metavar="EVALUATION",
        help="files or folders: text, JSON lines with a text, or items of a task (question, choices, ...)",
    )
    leakage.add_argument(
        "--known-leaks",
        metavar="PATH",
        help='documents whose rows say how they were leaked ("leak": KIND, "leak_of": ID); measures the verdicts on '
        "them, with EVALUATION as documents that were not",
    )
    leakage.add_argument("--short-items", action="store_true", help="for questions: windows of 8 words, not of 13")
    leakage.add_argument(
        "--bits", type=Path, metavar="FILE.npz", help="bits of each chunk, an array a model: adds bits per byte by r"
    )
    leakage.add_argument("--show", type=int, default=5, metavar="N", help="documents to print (default: 5)")
    leakage.add_argument("--rows", type=Path, metavar="FILE", help="write all rows, as .jsonl or .csv")
    leakage.add_argument("--page", type=Path, metavar="FILE.html", help="write a page")
    add_workers(leakage)
    leakage.add_argument("--json", action="store_true", help="one JSON document on stdout")
    leakage.set_defaults(call=look_for_leaks)


def look_for_leaks(options: argparse.Namespace) -> None:
    """Scan, and print, draw and keep what was found."""
    _check(options)
    from hutch.cli.db_leakage_scan import scan_for
    from hutch.cli.db_line import working

    with working() as line:
        found = scan_for(
            options.training,
            options.evaluation,
            known_leaks=options.known_leaks,
            short=options.short_items,
            bits=options.bits,
            workers=workers_of(options.workers),
            line=line,
        )
    if options.rows is not None:
        found.report.write_rows(options.rows)
        print(f"rows: {options.rows}", file=sys.stderr)
    if options.page is not None:
        from hutch.cli.db_leakage_page import leakage_page
        from hutch.runs.atomic import write_text

        write_text(options.page, leakage_page(found.document))
        print(f"page: {options.page}", file=sys.stderr)
    if options.json:
        print(json.dumps(found.document, indent=1, allow_nan=False))
        return
    from hutch.cli.db_leakage_terminal import on_terminal
    from hutch.cli.show import show

    show(on_terminal(found.document, options.show))


def _check(options: argparse.Namespace) -> None:
    """Nothing is read that could not be kept."""
    from hutch.cli.outputs import check_output
    from hutch.runs.errors import BadInput

    for flag, path in (("--page", options.page), ("--rows", options.rows)):
        if path is not None:
            check_output(path, flag)
    if options.rows is not None and options.rows.suffix not in (".jsonl", ".csv"):
        raise BadInput(f"--rows {options.rows} ends neither in .jsonl nor in .csv")
    if options.show < 0:
        raise BadInput(f"--show must be at least 0, not {options.show}")
