"""What a retrieval study is asked to do, and the four scales at which it can be asked."""

import dataclasses
import math
from dataclasses import dataclass
from typing import get_args

from hutch.lm import ModelConfig, model_of_width
from hutch.retrieval.database.config import Retriever
from hutch.runs import BadInput
from hutch.studies.scales import chosen, corpus_of, listed, refuse_unknown_scale
from hutch.text import CorpusConfig

CHUNK = 64
"""m: tokens of a chunk, as in the paper (§2.2); the analysis of leakage is defined for it."""


@dataclass(frozen=True, kw_only=True)
class RetrievalConfig:
    """The question in full; two equal ones give equal results."""

    scale: str
    """The preset that this began as."""
    budgets: tuple[float, ...]
    """Training FLOPs of the models that are compared, ascending; those of retrieval are counted."""
    widths: tuple[int, ...]
    """Models of the family that are trained at each budget, with retrieval and without."""
    ladder: tuple[float, ...]
    """Multiples of the smallest budget (below 1) and of the largest (above 1) at which models without retrieval are
    trained besides: the multiplier is read off their frontier, and cannot be told outside it."""
    evaluated_neighbours: tuple[int, ...] = (1, 2, 4, 8, 10)
    """k at evaluation. The paper's models take more than they were trained with (§4.4, Figure 1)."""
    shares: tuple[float, ...] = (1 / 64, 1 / 16, 1 / 4, 1.0)
    """Database sizes at evaluation as shares of its chunks, ascending to 1; besides none at all."""
    neighbours: int = 2
    """k in training (§2.4 of the paper)."""
    source: str = "embedded"
    """Corpus: "embedded", a file or folder of text, or "hf:NAME"."""
    subsets: tuple[str, ...] | None = None
    """Subsets of it; None takes all."""
    vocabulary: int = 2048
    """Tokens of the byte-level BPE that is trained on the corpus."""
    context: int = 256
    """Tokens that a model sees: whole chunks of 64."""
    embedder: str = "static"
    """"static": word vectors learned from the database itself; or a folder of a sentence-transformers model, or
    "minilm"."""
    retriever: Retriever = "dense"
    """"dense", or "reranked": the nearest by vector re-ranked by BM25."""
    batch_tokens: tuple[float, float] = (1e12, 1024.0)
    """A (FLOPs, tokens of a batch) pair; all runs of a budget share a batch size, which grows as the cube root of the
    budget through this pair, as in the compute-optimal study."""
    peak_rate: float = 0.006
    """Learning rate at width 64; `hutch.lm.optimizer` carries it to other widths."""
    embedding_rate: float = 60.0
    """The embedding's rate as a multiple of it."""
    holdout_fraction: float = 0.08
    """Share of the documents that no run trains on and that are not in the database."""
    holdout_documents: int = 48
    """Held-out documents of each subset that are scored, at most."""
    holdout_document_tokens: int = 512
    """Tokens of each held-out document that are scored."""
    tokenizer_bytes: int = 12_000_000
    """Bytes of text that the tokenizer learns from."""
    train_tokens: int | None = None
    """Tokens to prepare: the training text, and all of it is the database. None: the whole corpus."""
    max_epochs: float = 4.0
    """Passes over the corpus that no run may exceed."""
    bootstraps: int = 2000
    """Resamples of the held-out documents behind every interval."""
    level: float = 0.95
    """Coverage of every interval."""
    replicates: int = 1
    """Further seeds with which the smallest model of the smallest budget is trained, with retrieval and without: the
    intervals come from documents, and this shows beside them what another seed does."""
    seed: int = 0
    """Initial weights, order of the data, resamples."""

    def __post_init__(self) -> None:
        refuse_unknown_scale(self.scale)
        numbers = (*self.budgets, *self.ladder, *self.shares, self.max_epochs)
        if not all(math.isfinite(number) and number > 0 for number in numbers):
            raise BadInput(f"budgets, ladder, shares and limits must be finite and positive, not {listed(numbers)}")
        for name in ("budgets", "widths", "evaluated_neighbours", "shares"):
            values = getattr(self, name)
            if not values or list(values) != sorted(set(values)):
                raise BadInput(f"{name} must be ascending, each once, not {listed(values)}")
        if self.shares[-1] != 1:
            raise BadInput(f"the last of the shares must be 1, the whole database, not {self.shares[-1]:g}")
        if self.widths[0] < 12:
            raise BadInput(f"the family's smallest width is 12, not {self.widths[0]}")
        if self.context < 2 * CHUNK or self.context % CHUNK:
            raise BadInput(
                f"a model must see at least two whole chunks of {CHUNK} tokens, not --context {self.context}"
            )
        if self.neighbours < 1 or self.evaluated_neighbours[0] < 1:
            raise BadInput("neighbours must be at least 1, in training and at evaluation")
        if self.neighbours not in self.evaluated_neighbours:
            raise BadInput(
                f"the neighbours at evaluation ({listed(self.evaluated_neighbours)}) must hold those in training, "
                f"{self.neighbours}"
            )
        if self.retriever not in get_args(Retriever) or self.retriever == "bm25":
            raise BadInput(f'the retriever must be "dense" or "reranked", not {self.retriever!r}')
        if self.replicates < 0:
            raise BadInput(f"replicates must be 0 or more, not {self.replicates}")
        if not 0 < self.level < 1:
            raise BadInput(f"the intervals' level is {self.level:g}; a share between 0 and 1 is needed")
        self.corpus()

    def corpus(self) -> CorpusConfig:
        """The corpus that this study trains on and retrieves from."""
        return corpus_of(self)

    def model(self, width: int) -> ModelConfig:
        """The family's member of this width: the whole model without retrieval, the decoder with it."""
        return model_of_width(width, vocabulary=self.vocabulary, context=self.context)


def preset(scale: str) -> RetrievalConfig:
    """The study at one of the four scales; the same code, other budgets."""
    return chosen(scale, {"smoke": _smoke, "quick": _quick, "hour": _hour, "day": _day})


def _smoke() -> RetrievalConfig:
    return RetrievalConfig(
        scale="smoke",
        subsets=("speeches", "factbook"),
        budgets=(6e10,),
        widths=(24, 32),
        ladder=(0.5,),
        evaluated_neighbours=(1, 2, 4),
        shares=(1 / 16, 1 / 4, 1.0),
        holdout_documents=16,
        holdout_document_tokens=320,
        tokenizer_bytes=4_000_000,
        train_tokens=400_000,
        bootstraps=500,
    )


def _quick() -> RetrievalConfig:
    return RetrievalConfig(
        scale="quick",
        budgets=(1.2e12,),
        widths=(32, 48, 64),
        ladder=(0.25, 0.5),
        evaluated_neighbours=(1, 2, 4, 10),
        train_tokens=3_000_000,
    )


def _hour() -> RetrievalConfig:
    return RetrievalConfig(
        scale="hour",
        budgets=(3e12, 1.2e13),
        widths=(48, 64, 96),
        ladder=(0.25, 0.5),
        train_tokens=8_000_000,
        holdout_documents=64,
        holdout_document_tokens=1024,
        bootstraps=4000,
    )


def _day() -> RetrievalConfig:
    return dataclasses.replace(
        _hour(),
        scale="day",
        budgets=(1.6e13, 1e14, 6.4e14),
        widths=(64, 96, 128, 192),
        shares=(1 / 256, 1 / 64, 1 / 16, 1 / 4, 1.0),
        vocabulary=4096,
        train_tokens=None,
    )
