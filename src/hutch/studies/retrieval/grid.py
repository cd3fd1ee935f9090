"""The runs of a study: which models, with retrieval and without, for how many tokens.

Three runs a cell (a budget C and a width): RETRO for C; the same decoder without retrieval for C, on more tokens; and
the same decoder on RETRO's very batches, which is the paper's comparison and costs less.
"""

from dataclasses import dataclass
from typing import Literal

from hutch.lm import ModelConfig, TrainConfig
from hutch.lm.train_config import Precision
from hutch.retrieval.retro import retro_of
from hutch.retrieval.training.retro_train_config import RetroTrainConfig
from hutch.runs import BadInput, digest
from hutch.studies.counting import count, flops_per_token, human, sequences_for
from hutch.studies.retrieval.configuration import CHUNK, RetrievalConfig

Role = Literal["retro", "plain", "same tokens", "ladder", "retro, other seed", "same tokens, other seed"]
WITHOUT: tuple[Role, ...] = ("plain", "same tokens", "ladder")
"""The roles of models without retrieval, all of the study's first seed."""
LEAST_STEPS = 20


@dataclass(frozen=True, kw_only=True)
class PlainRun:
    """A language model's run in windows that start at whole chunks, as RETRO's do: the same seed, the same batches."""

    train: TrainConfig
    grain: int = CHUNK


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What a run's configuration takes over from where it runs."""

    corpus: str
    """Digest of the corpus."""
    database: str
    """Digest of the database."""
    precision: Precision
    tokens: int
    """Training tokens of the corpus: a chunk is searched for once, however often it is read."""
    search_flops: float
    """FLOPs of the search for one chunk's neighbours."""


@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """One model at one budget, before it is trained."""

    role: Role
    budget: float
    """FLOPs of the comparison that the run belongs to. A run of role "same tokens" costs less."""
    train: RetroTrainConfig | PlainRun
    search_flops: float = 0.0
    """FLOPs of the search for the neighbours of what it reads."""

    @property
    def id(self) -> str:
        """The run's name: the hash of what it trains."""
        return digest(self.train)

    @property
    def model(self) -> ModelConfig:
        """The model, or RETRO's decoder."""
        return self.train.train.model

    @property
    def parameters(self) -> int:
        """Parameters of the decoder, the embedding once."""
        return count(self.model)

    @property
    def tokens(self) -> int:
        """Training tokens: whole steps."""
        return self.train.train.steps * self.train.train.batch_tokens

    @property
    def flops_per_token(self) -> int:
        """Training FLOPs for a token, without the search."""
        return self.train.flops_per_token if isinstance(self.train, RetroTrainConfig) else flops_per_token(self.model)

    @property
    def flops(self) -> float:
        """FLOPs that training costs, the search for its neighbours included."""
        return float(self.tokens * self.flops_per_token) + self.search_flops

    @property
    def label(self) -> str:
        """A few words for a progress view."""
        return f"{self.role}, width {self.model.width}, {human(self.tokens)} tokens at {self.budget:.3g}"


def sequences_at(config: RetrievalConfig, budget: float) -> int:
    """Sequences in a batch of every run of this budget; at least 2."""
    return sequences_for(config.batch_tokens, budget, config.context)


def searched(tokens: int, setup: Setup) -> float:
    """FLOPs of the search for the neighbours of the first `tokens` training tokens: a query a chunk, none twice."""
    return min(tokens, setup.tokens) / CHUNK * setup.search_flops


def tokens_for(budget: float, per_token: float, setup: Setup) -> float:
    """D with D·f + min(D, T)/m·s = C: what a budget buys of a model that costs f a token and searches (s a query) for
    each of the T tokens once."""
    search = setup.search_flops / CHUNK
    once = budget / (per_token + search)
    return once if once <= setup.tokens else (budget - setup.tokens * search) / per_token


def training(config: RetrievalConfig, width: int, tokens: float, budget: float, setup: Setup, seed: int) -> TrainConfig:
    """The decoder's part of a run, in whole steps; `seed` counts from the study's."""
    sequences = sequences_at(config, budget)
    batch = sequences * config.context
    steps = round(tokens / batch)
    if steps < LEAST_STEPS:
        raise BadInput(
            f"a budget of {budget:g} FLOPs buys {tokens:,.0f} tokens at width {width}, fewer than {LEAST_STEPS} steps "
            f"of {batch} tokens: raise the budget or choose smaller --widths"
        )
    return TrainConfig(
        model=config.model(width),
        tokens=steps * batch,
        sequences=sequences,
        peak_rate=config.peak_rate,
        embedding_rate=config.embedding_rate,
        seed=config.seed + seed,
        corpus=setup.corpus,
        precision=setup.precision,
    )


def retro_run(config: RetrievalConfig, budget: float, width: int, setup: Setup, seed: int = 0) -> PlannedRun:
    """RETRO for `budget`."""
    shape = retro_of(config.model(width))

    def whole(train: TrainConfig) -> RetroTrainConfig:
        return RetroTrainConfig(
            train=train,
            retro=shape,
            database=setup.database,
            retriever=config.retriever,
            neighbours=config.neighbours,
        )

    first = training(config, width, 1e12, budget, setup, seed)
    tokens = tokens_for(budget, whole(first).flops_per_token, setup)
    train = training(config, width, tokens, budget, setup, seed)
    return PlannedRun(
        role="retro, other seed" if seed else "retro",
        budget=budget,
        train=whole(train),
        search_flops=searched(train.steps * train.batch_tokens, setup),
    )


def plain_run(
    config: RetrievalConfig,
    role: Role,
    budget: float,
    width: int,
    setup: Setup,
    tokens: float | None = None,
    seed: int = 0,
) -> PlannedRun:
    """A model without retrieval for `budget`, or for as many tokens as are given."""
    bought = budget / flops_per_token(config.model(width)) if tokens is None else tokens
    train = training(config, width, bought, budget, setup, seed)
    return PlannedRun(role=role, budget=budget, train=PlainRun(train=train))


def planned_runs(config: RetrievalConfig, setup: Setup) -> list[PlannedRun]:
    """Every run, the costliest first so that the workers finish together. No configuration twice."""
    runs: list[PlannedRun] = []
    for budget in config.budgets:
        for width in config.widths:
            retro = retro_run(config, budget, width, setup)
            runs += [
                retro,
                plain_run(config, "plain", budget, width, setup),
                plain_run(config, "same tokens", budget, width, setup, retro.tokens),
            ]
    for seed in range(1, config.replicates + 1):
        budget, width = config.budgets[0], config.widths[0]
        retro = retro_run(config, budget, width, setup, seed)
        runs += [
            retro,
            plain_run(config, "same tokens, other seed", budget, width, setup, retro.tokens, seed),
        ]
    runs += [
        plain_run(config, "ladder", multiple * config.budgets[-1 if multiple > 1 else 0], width, setup)
        for multiple in config.ladder
        for width in config.widths
    ]
    return sorted({run.id: run for run in reversed(runs)}.values(), key=lambda run: (-run.flops, run.id))
