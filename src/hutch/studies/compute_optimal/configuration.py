"""What a compute-optimal study is asked to do, and the four scales at which it can be asked."""

import dataclasses
import math
from dataclasses import dataclass

from hutch.runs import BadInput
from hutch.scaling.flops import Positions
from hutch.studies.scales import chosen, corpus_of, listed, refuse_unknown_scale
from hutch.text import CorpusConfig


@dataclass(frozen=True, kw_only=True)
class ComputeOptimalConfig:
    """The question in full; two equal ones give equal results."""

    scale: str
    """The preset that this began as."""
    budgets: tuple[float, ...]
    """Training FLOPs of each isoFLOP profile, ascending."""
    holdout_budget: float
    """A larger budget that the fits never see; there the prediction is put to the test."""
    sizes: int
    """Models in a profile."""
    span: float
    """Largest over smallest parameter count in a profile."""
    holdout_multiples: tuple[float, ...] = (1.0, 4.0)
    """Models trained at the held-out budget, as multiples of the predicted optimum's parameters. 1 is the optimum
    itself and 4 the Gopher-like model (Gopher has four times Chinchilla's parameters); more of them measure the
    optimum there."""
    expected_optimum: tuple[float, float] = (1e11, 5e4)
    """A (FLOPs, parameters) pair near the frontier. Profiles are centred on the power law through it, cut off at the
    family's smallest member; only their range depends on it, not where their minima lie."""
    expected_exponent: float = 0.42
    """Exponent of that power law, from pilot runs on the embedded corpus (docs/log.md)."""
    source: str = "embedded"
    """Corpus: "embedded", a file or folder of text, or "hf:NAME"."""
    subsets: tuple[str, ...] | None = None
    """Subsets of it; None takes all."""
    vocabulary: int = 2048
    """Tokens of the byte-level BPE that is trained on the corpus."""
    context: int = 128
    """Tokens that a model sees."""
    batch_tokens: tuple[float, float] = (1e12, 1024.0)
    """A (FLOPs, tokens of a batch) pair. All runs of a budget share a batch size, which grows as the cube root of the
    budget through this pair (DeepSeek-AI 2024, arXiv:2401.02954, §3.1: exponent 0.327): one size for all would
    leave either the small budgets short of steps, which bends the exponent upwards, or the large ones slow."""
    positions: Positions = "rotary"
    """"rotary", or "relative" as in Gopher."""
    peak_rate: float = 0.006
    """Learning rate at width 64; `hutch.lm.optimizer` carries it to other widths."""
    embedding_rate: float = 60.0
    """The embedding's rate as a multiple of it."""
    holdout_fraction: float = 0.08
    """Share of the documents that no run trains on."""
    holdout_documents: int = 64
    """Held-out documents of each subset that are scored, at most."""
    holdout_document_tokens: int = 1024
    """Tokens of each held-out document that are scored."""
    tokenizer_bytes: int = 12_000_000
    """Bytes of text that the tokenizer learns from."""
    train_tokens: int | None = None
    """Tokens of the corpus to prepare; None prepares all."""
    max_epochs: float = 4.0
    """Passes over the corpus that no run may exceed: up to four, repeated tokens are worth nearly as much as new ones
    (Muennighoff et al. 2023, arXiv:2305.16264, §5)."""
    bootstraps: int = 1000
    """Resamples behind every interval."""
    level: float = 0.8
    """Coverage of every interval."""
    seed: int = 0
    """Initial weights, order of the data, resamples, samples of text."""

    def __post_init__(self) -> None:
        refuse_unknown_scale(self.scale)
        numbers = (*self.budgets, self.holdout_budget, self.span, self.max_epochs, *self.holdout_multiples)
        if not all(math.isfinite(number) for number in numbers):
            raise BadInput(f"every budget, span and limit must be a finite number, not {listed(numbers)}")
        if not self.budgets or min(self.budgets) <= 0 or list(self.budgets) != sorted(set(self.budgets)):
            raise BadInput(f"budgets must be positive and ascending, not {listed(self.budgets)}")
        if self.holdout_budget <= self.budgets[-1]:
            raise BadInput(
                f"the held-out budget {self.holdout_budget:g} must be larger than the largest fitted one, "
                f"{self.budgets[-1]:g}"
            )
        if self.sizes < 4:
            raise BadInput(f"a profile needs at least 4 sizes for its parabola, not {self.sizes}")
        if self.span <= 1:
            raise BadInput(f"a profile's span must be above 1, not {self.span:g}")
        if not {1.0, 4.0} <= set(self.holdout_multiples):
            raise BadInput("the held-out multiples must hold 1 (the optimum) and 4 (the Gopher-like model)")
        if self.context < 2:
            raise BadInput(f"a model must see at least 2 tokens, not --context {self.context}")
        self.corpus()

    def expected(self, budget: float) -> float:
        """Parameters near the optimum of `budget`, before anything is measured."""
        at, size = self.expected_optimum
        return size * (budget / at) ** self.expected_exponent

    def corpus(self) -> CorpusConfig:
        """The corpus that this study trains on."""
        return corpus_of(self)


def preset(scale: str) -> ComputeOptimalConfig:
    """The study at one of the four scales; the same code, other budgets."""
    return chosen(scale, {"smoke": _smoke, "quick": _quick, "hour": _hour, "day": _day})


def _smoke() -> ComputeOptimalConfig:
    return ComputeOptimalConfig(
        scale="smoke",
        subsets=("speeches", "factbook"),
        budgets=(3e10, 4.5e10, 7e10),
        holdout_budget=1e11,
        sizes=4,
        span=4,
        tokenizer_bytes=4_000_000,
        holdout_document_tokens=512,
        train_tokens=1_500_000,
        bootstraps=300,
    )


def _quick() -> ComputeOptimalConfig:
    return ComputeOptimalConfig(
        scale="quick",
        budgets=(9e10, 2e11, 4.4e11, 1e12),
        holdout_budget=2.3e12,
        sizes=6,
        span=8,
        train_tokens=12_000_000,
    )


def _hour() -> ComputeOptimalConfig:
    return dataclasses.replace(
        _quick(),
        scale="hour",
        budgets=(1.5e11, 3.5e11, 8.2e11, 1.9e12, 4.5e12, 1.05e13),
        holdout_budget=2.2e13,
        sizes=7,
        span=8,
        holdout_multiples=(0.5, 1.0, 2.0, 4.0),
        train_tokens=None,
        bootstraps=4000,
    )


def _day() -> ComputeOptimalConfig:
    return dataclasses.replace(
        _hour(),
        scale="day",
        budgets=(5e11, 2e12, 8e12, 3.2e13, 1.3e14, 5e14),
        holdout_budget=1.2e15,
        sizes=9,
        span=16,
        vocabulary=4096,
        context=256,
    )
