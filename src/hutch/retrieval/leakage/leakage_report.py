"""What a leakage scan found: a row for each evaluation document, totals, and files of both."""

import csv
import io
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hutch.retrieval.leakage.evidence import Passage
from hutch.retrieval.leakage.longest_matches import ChunkMatches
from hutch.retrieval.leakage.verdicts import VERDICTS, Verdict
from hutch.runs.atomic import write_text
from hutch.runs.configuration import plain
from hutch.runs.errors import BadInput


@dataclass(frozen=True)
class SourceRow:
    """A training document that shares text with an evaluation document."""

    key: str
    """The name of the training document: its file and its line or id."""
    words: int
    """Words of the evaluation document in windows that both hold and few others do."""


@dataclass(frozen=True)
class DocumentRow:
    """The verdict on one evaluation document."""

    id: str
    subset: str
    verdict: Verdict
    words: int
    """Words of the document."""
    shared: float
    """Share of its words that its sources cover; decides the verdict."""
    common: float
    """Share in text that many training documents hold."""
    anywhere: float
    """Share in windows that any training document holds."""
    sources: tuple[SourceRow, ...]
    """The best first."""
    passages: tuple[Passage, ...]
    """Side by side with the best source."""
    mean_ratio: float | None
    """r of the exact mode, averaged over the document's tokens; None without that mode."""


@dataclass(frozen=True)
class LeakageReport:
    """A whole scan."""

    training: str
    """Where the training text came from."""
    training_documents: int
    config: Any
    """The scan's configuration, see `scan`."""
    rows: tuple[DocumentRow, ...]
    """In the order of the evaluation set."""
    chunks: ChunkMatches | None
    """Of the exact mode."""
    source_keys: dict[int, str]
    """Names of the training documents that `chunks.source` counts."""
    seconds: float

    def verdicts(self) -> dict[str, dict[str, int]]:
        """How many documents got each verdict, by subset and for "all"."""
        subsets = ["all", *dict.fromkeys(row.subset for row in self.rows)]
        counts = {name: Counter(row.verdict for row in self.rows if name in ("all", row.subset)) for name in subsets}
        return {name: {verdict: count[verdict] for verdict in VERDICTS} for name, count in counts.items()}

    def as_dict(self) -> dict[str, Any]:
        """Everything but the chunks, fit for JSON."""
        return {
            "training": self.training,
            "training_documents": self.training_documents,
            "documents": len(self.rows),
            "config": plain(self.config),
            "verdicts": self.verdicts(),
            "rows": plain(self.rows),
            "seconds": self.seconds,
        }

    def write_rows(self, path: Path | str) -> None:
        """Write the rows, whole or not at all, as the name ends: .jsonl, or .csv with the best source and the longest
        passage alone. Raises BadInput for another ending."""
        path = Path(path)
        writers = {".jsonl": self._json_lines, ".csv": self._comma_separated}
        if path.suffix not in writers:
            raise BadInput(f"{path} ends neither in .jsonl nor in .csv")
        write_text(path, writers[path.suffix]())

    def _json_lines(self) -> str:
        return "".join(json.dumps(plain(row), ensure_ascii=False, allow_nan=False) + "\n" for row in self.rows)

    def _comma_separated(self) -> str:
        table = io.StringIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(CSV_COLUMNS)
        writer.writerows(csv_row(row) for row in self.rows)
        return table.getvalue()


CSV_COLUMNS = (
    "id", "subset", "verdict", "words", "shared", "common", "anywhere", "mean_ratio", "source", "source_words", "text",
    "source_text",
)  # fmt: skip


def csv_row(row: DocumentRow) -> list[Any]:
    """The row in the order of `CSV_COLUMNS`."""
    source = row.sources[0] if row.sources else SourceRow("", 0)
    texts = [(passage.text, passage.source_text) for passage in sorted(row.passages, key=lambda p: -p.words)]
    shares = [f"{share:.4f}" for share in (row.shared, row.common, row.anywhere)]
    ratio = "" if row.mean_ratio is None else f"{row.mean_ratio:.4f}"
    return [row.id, row.subset, row.verdict, row.words, *shares, ratio, source.key, source.words,
            *(texts[0] if texts else ("", ""))]  # fmt: skip
