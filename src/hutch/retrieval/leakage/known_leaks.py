"""How good the verdicts are, on documents of which it is known whether and how they were leaked."""

from collections.abc import Sequence
from dataclasses import dataclass

from hutch.retrieval.leakage.evaluation_sets import EvaluationDocument
from hutch.retrieval.leakage.leakage_report import DocumentRow
from hutch.runs.errors import BadInput

FLAGGED = ("leaked", "partly leaked")


@dataclass(frozen=True)
class VerdictQuality:
    """The verdicts on the leaked documents of one kind and subset, among the unleaked ones of that subset."""

    subset: str
    """"all" for all of them."""
    kind: str
    """How they were leaked, as the evaluation set says; "all" for all kinds."""
    documents: int
    """Leaked documents."""
    found: int
    """Of them those with the verdict leaked or partly leaked."""
    unleaked: int
    """Documents that were not leaked."""
    false_alarms: int
    """Of them those with the verdict leaked or partly leaked."""
    sources_known: int
    """Found documents of which it is known where they came from."""
    sources_right: int
    """Of them those whose best source is the right one."""

    @property
    def precision(self) -> float | None:
        """Share of the flagged documents that were leaked; None where none was flagged."""
        return share(self.found, self.found + self.false_alarms)

    @property
    def recall(self) -> float | None:
        """Share of the leaked documents that were flagged; None where there are none."""
        return share(self.found, self.documents)

    @property
    def source_accuracy(self) -> float | None:
        """Share of right sources."""
        return share(self.sources_right, self.sources_known)


def share(part: int, whole: int) -> float | None:
    """part / whole, None of nothing."""
    return part / whole if whole else None


def verdict_quality(documents: Sequence[EvaluationDocument], rows: Sequence[DocumentRow]) -> tuple[VerdictQuality, ...]:
    """Compare verdicts with what `EvaluationDocument.leak` and `leak_of` say; documents without `leak` are unleaked.

    One entry for all, each subset, each kind and each pair of them, where there are leaked documents. Raises BadInput
    where rows and documents do not belong together.
    """
    if [document.id for document in documents] != [row.id for row in rows]:
        raise BadInput("the rows are not those of a scan of these documents")
    subsets = ["all", *dict.fromkeys(document.subset for document in documents)]
    kinds = ["all", *sorted({document.leak for document in documents} - {""})]
    pairs = list(zip(documents, rows, strict=True))
    return tuple(
        quality
        for subset in subsets
        for kind in kinds
        if (quality := quality_of(subset, kind, [p for p in pairs if subset in ("all", p[0].subset)])).documents
    )


def quality_of(subset: str, kind: str, pairs: list[tuple[EvaluationDocument, DocumentRow]]) -> VerdictQuality:
    """The entry for these documents."""
    leaked = [pair for pair in pairs if pair[0].leak and kind in ("all", pair[0].leak)]
    unleaked = [row for document, row in pairs if not document.leak]
    found = [pair for pair in leaked if pair[1].verdict in FLAGGED]
    known = [(document.leak_of, row.sources[0].key) for document, row in found if document.leak_of]
    return VerdictQuality(
        subset=subset,
        kind=kind,
        documents=len(leaked),
        found=len(found),
        unleaked=len(unleaked),
        false_alarms=sum(row.verdict in FLAGGED for row in unleaked),
        sources_known=len(known),
        sources_right=sum(key == name or key.endswith(f":{name}") for name, key in known),
    )
