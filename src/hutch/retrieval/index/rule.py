"""Which index for how many vectors: the rule, its measurements, and its configuration."""

from dataclasses import dataclass
from typing import Literal, get_args

from hutch.runs.errors import BadInput

Kind = Literal["flat", "hnsw", "ivf"]

FLAT_BELOW = 100_000
"""Up to here the exact search is quick enough: about 1,000 queries a core-second at d = 384."""
HNSW_BELOW = 1_000_000
"""Up to here a graph is built in memory; beyond, lists of product-quantized vectors take a tenth of the time."""


@dataclass(frozen=True, kw_only=True)
class IndexConfig:
    """How the vectors of one segment are indexed.

    The rule ("auto"): below 100,000 vectors flat, which is exact; below a million HNSW (Malkov and Yashunin 2018),
    whose distance computations grow like log N; beyond, IVF with PQ fast scan (André et al. 2019), re-ranked by the
    stored vectors, which grow like √N but are built in a tenth of the CPU time and in a tenth of the memory.
    One thread, 387,276 chunks of documentation, d = 384, recall@2 at least 0.95: HNSW 2,000 to 4,800 queries a
    second, IVF 3,300, flat 270; product quantization that is not re-ranked stops at a recall@2 of 0.56.

    What a search looks at (efSearch, nprobe) is doubled at the build until a sample reaches `recall`.
    """

    kind: Literal["auto", "flat", "hnsw", "ivf"] = "auto"
    """"auto": by the rule above."""
    recall: float = 0.95
    """Of the two nearest vectors, the share that a search must find, on the sample."""
    sample: int = 1000
    """Vectors that the recall is measured with; each is then no candidate for itself."""
    links: int = 16
    """HNSW's M: links of a vector on each upper level, half of those on the lowest."""
    build_effort: int = 80
    """HNSW's efConstruction."""
    seed: int = 0
    """Of the sample and of the training of IVF."""

    def __post_init__(self) -> None:
        if self.kind != "auto" and self.kind not in get_args(Kind):
            raise BadInput(f"index kind is {self.kind!r}; it must be auto, {', '.join(get_args(Kind))}")
        if not 0 < self.recall <= 1:
            raise BadInput(f"the index's recall is {self.recall}; it must lie above 0 and be at most 1")
        for name in ("sample", "links", "build_effort"):
            if getattr(self, name) < 1:
                raise BadInput(f"the index's {name} is {getattr(self, name)}; it must be at least 1")


def kind_for(config: IndexConfig, vectors: int) -> Kind:
    """The kind of index for so many vectors."""
    if config.kind != "auto":
        return config.kind
    if vectors < FLAT_BELOW:
        return "flat"
    return "hnsw" if vectors < HNSW_BELOW else "ivf"
