"""Filtered bits per byte: how good a model is on the text that it has not seen (Borgeaud et al. 2021, section 2.6).

    C_α = {C : r(C) ≤ α},   bpb(α) = Σ_{C ∈ C_α} ℓ(C) / Σ_{C ∈ C_α} bytes(C),   ℓ(C) = −log₂ p(C)

bpb(1) is the usual figure. A gain that shrinks as α falls was copying. Any model can be scored, with retrieval or
without. Intervals come from documents drawn with replacement, for all models and all α at once: so what makes a
document hard cancels in a difference.

Legend: n chunks, d documents, a values of α.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hutch.runs import seeds
from hutch.runs.errors import BadInput
from hutch.scaling.columns import check_bootstrap
from hutch.scaling.intervals import Interval, percentile_interval

ALPHAS = (0.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0)
"""In steps of 8 tokens of 64; the paper quotes 12.5 %."""
DRAWS_AT_ONCE = 2**24
"""Weights of documents in memory, 128 MB."""


@dataclass(frozen=True)
class FilteredCurve:
    """bpb(α) of some models, and differences between pairs of them. Each interval holds arrays [a]; NaN where no chunk
    is left."""

    alphas: np.ndarray
    """float64 [a]: the overlap that is allowed."""
    chunks: np.ndarray
    """int64 [a]: chunks that are left."""
    chunk_share: np.ndarray
    """float64 [a]."""
    byte_share: np.ndarray
    """float64 [a]."""
    models: dict[str, Interval]
    differences: dict[tuple[str, str], Interval]
    """The first minus the second: below 0 where the first is the better model."""

    def as_dict(self) -> dict[str, Any]:
        """Fit for JSON; a difference is named "first − second"."""
        return {
            "alphas": self.alphas.tolist(),
            "chunks": self.chunks.tolist(),
            "chunk_share": self.chunk_share.tolist(),
            "byte_share": self.byte_share.tolist(),
            "models": {name: interval.as_dict() for name, interval in self.models.items()},
            "differences": {f"{a} − {b}": interval.as_dict() for (a, b), interval in self.differences.items()},
        }


def filtered_bits_per_byte(
    bits: Mapping[str, ArrayLike],
    bytes_: ArrayLike,
    ratios: ArrayLike,
    documents: ArrayLike,
    *,
    alphas: Sequence[float] = ALPHAS,
    differences: Sequence[tuple[str, str]] = (),
    bootstraps: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> FilteredCurve:
    """The curve of each model.

    Args:
        bits: for each model ℓ of every chunk in bits (nats / ln 2), [n].
        bytes_: UTF-8 bytes of text behind each chunk, [n].
        ratios: r of each chunk, [n], between 0 and 1: by neighbours or exact.
        documents: the document of each chunk, [n]; any labels.
        differences: pairs of models to compare.

    Raises:
        BadInput: columns of several lengths, values that cannot be, a pair with an unknown model.
    """
    check_bootstrap(bootstraps, level)
    columns = checked_columns(bits, bytes_, ratios, differences, alphas)
    sizes, overlap = columns.pop("bytes"), columns.pop("ratios")
    labels = np.asarray(documents)
    if labels.shape != sizes.shape:
        raise BadInput(f"documents has the shape {labels.shape} and bytes {sizes.shape}; one entry a chunk is needed")
    _, owner = np.unique(labels, return_inverse=True)
    limits = np.asarray(alphas, dtype=np.float64)
    sums = {name: sums_below(column, owner, overlap, limits) for name, column in columns.items()}
    size_da = sums_below(sizes, owner, overlap, limits)
    count_a = sums_below(np.ones_like(sizes), owner, overlap, limits).sum(0)
    draws = resampled(sums, size_da, bootstraps, seeds.generator(seed, "filtered-bits-per-byte"))
    values = {name: ratio(bits_da.sum(0), size_da.sum(0)) for name, bits_da in sums.items()}
    return FilteredCurve(
        alphas=limits,
        chunks=count_a.astype(np.int64),
        chunk_share=count_a / len(sizes),
        byte_share=size_da.sum(0) / sizes.sum(),
        models={name: percentile_interval(values[name], draws[name], level) for name in sums},
        differences={
            (a, b): percentile_interval(values[a] - values[b], draws[a] - draws[b], level) for a, b in differences
        },
    )


def checked_columns(
    bits: Mapping[str, ArrayLike],
    bytes_: ArrayLike,
    ratios: ArrayLike,
    differences: Sequence[tuple[str, str]],
    alphas: Sequence[float],
) -> dict[str, np.ndarray]:
    """The bits of each model, "bytes" and "ratios" as float64 [n], or BadInput that names what is wrong."""
    columns = {**bits, "bytes": bytes_, "ratios": ratios}
    arrays = {name: np.asarray(column, dtype=np.float64) for name, column in columns.items()}
    size = arrays["bytes"].shape
    if len(size) != 1 or not size[0]:
        raise BadInput(f"bytes has the shape {size}; one entry for each of at least one chunk is needed")
    if not bits or {"bytes", "ratios"} & set(bits):
        raise BadInput("bits of at least one model are needed, and none may be called 'bytes' or 'ratios'")
    highest = {"ratios": 1.0}
    for name, array in arrays.items():
        if array.shape != size:
            raise BadInput(f"{name} has {array.size} entries and bytes {size[0]}; they describe the same chunks")
        bad = np.flatnonzero(~((array >= (1 if name == "bytes" else 0)) & (array <= highest.get(name, np.inf))))
        if bad.size or not np.isfinite(array).all():
            row = int(bad[0]) if bad.size else int(np.flatnonzero(~np.isfinite(array))[0])
            raise BadInput(f"{name} of chunk {row} is {array[row]:g}, which cannot be")
    unknown = [name for pair in differences for name in pair if name not in bits]
    if unknown:
        raise BadInput(f"there is no model {unknown[0]!r} to compare; there are {', '.join(bits)}")
    if not len(alphas) or not all(0 <= alpha <= 1 for alpha in alphas):
        raise BadInput(f"alphas are {list(alphas)}; at least one from 0 to 1 is needed")
    return arrays


def sums_below(values: np.ndarray, owner: np.ndarray, ratios: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Σ of the values of each document's chunks with r ≤ α, float64 [d, a]."""
    count = int(owner.max()) + 1
    return np.stack([np.bincount(owner, np.where(ratios <= limit, values, 0.0), count) for limit in limits], axis=1)


def ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """top / bottom, NaN where nothing is below."""
    return np.divide(top, bottom, out=np.full(np.shape(top), np.nan), where=bottom > 0)


def resampled(
    sums: Mapping[str, np.ndarray], size_da: np.ndarray, bootstraps: int, random: np.random.Generator
) -> dict[str, np.ndarray]:
    """bpb(α) of each model over documents drawn with replacement, the same for all, float64 [bootstraps, a]."""
    count = len(size_da)
    found: dict[str, list[np.ndarray]] = {name: [np.empty((0, size_da.shape[1]))] for name in sums}
    at_once = max(1, DRAWS_AT_ONCE // count)
    for start in range(0, bootstraps, at_once):
        draws = min(at_once, bootstraps - start)
        picks = random.integers(count, size=(draws, count)) + count * np.arange(draws)[:, None]
        weights = np.bincount(picks.ravel(), minlength=draws * count).reshape(draws, count).astype(np.float64)
        for name, bits_da in sums.items():
            found[name].append(ratio(weights @ bits_da, weights @ size_da))
    return {name: np.concatenate(parts) for name, parts in found.items()}
