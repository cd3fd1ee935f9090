"""`hutch report` and `hutch claims`: look again at studies that were run."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def add_commands(rooms: Any) -> None:
    """Add both commands to the command line."""
    report = rooms.add_parser("report", help="draw the page of a study", epilog="example: hutch report demo")
    report.add_argument("folder", type=Path, metavar="DIR", help="the study's folder")
    report.add_argument("--json", action="store_true", help="print the analysis instead")
    report.set_defaults(call=draw_report)
    claims = rooms.add_parser(
        "claims", help="what was claimed, what was measured, the verdicts", epilog="example: hutch claims demo"
    )
    claims.add_argument("folders", type=Path, nargs="+", metavar="DIR", help="folders of studies")
    claims.add_argument("--json", action="store_true", help="one JSON document on stdout")
    claims.set_defaults(call=show_claims)


def analysis_of(folder: Path) -> Mapping[str, Any]:
    """The analysis of a finished study; `BadInput` where there is none, `HutchError` where it is broken."""
    from hutch.reports import read_analysis
    from hutch.runs.errors import BadInput

    if not (folder / "analysis.json").exists():
        raise BadInput(f"{folder} holds no finished study (no analysis.json): run one with hutch study run")
    return read_analysis(folder)


def draw_report(options: argparse.Namespace) -> None:
    """Write report.html and print where it is."""
    analysis = analysis_of(options.folder)
    if options.json:
        print(json.dumps(analysis, indent=1, sort_keys=True))
        return
    from hutch.reports import render_page

    print(render_page(options.folder))


def show_claims(options: argparse.Namespace) -> None:
    """Print the claims of each study."""
    found = {str(folder): analysis_of(folder).get("claims") or [] for folder in options.folders}
    if options.json:
        print(json.dumps(found, indent=1))
        return
    from hutch.reports import claims_table

    for folder, claims in found.items():
        print(folder)
        print(claims_table(claims))
