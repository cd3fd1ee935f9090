"""The runs of a study: which sizes at which budgets, and for how many tokens."""

import math
from dataclasses import dataclass

import numpy as np

from hutch.lm import ModelConfig, TrainConfig, family_members
from hutch.lm.train_config import Precision
from hutch.runs import BadInput, digest
from hutch.studies.compute_optimal.configuration import ComputeOptimalConfig
from hutch.studies.counting import count, flops_per_token, human, sequences_for


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a run's configuration takes over from where it runs."""

    corpus: str
    """Digest of the corpus."""
    precision: Precision
    """"float32" or "bfloat16"."""


@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """One model at one budget, before it is trained."""

    role: str
    """"profile", "holdout", "optimal" or "gopher-like"."""
    budget: float
    """FLOPs that it may spend."""
    train: TrainConfig
    """What is trained."""

    @property
    def id(self) -> str:
        """The run's name: the hash of what it trains."""
        return digest(self.train)

    @property
    def parameters(self) -> int:
        """Parameters, the embedding once."""
        return count(self.train.model)

    @property
    def tokens(self) -> int:
        """Training tokens: whole steps."""
        return self.train.steps * self.train.batch_tokens

    @property
    def flops(self) -> float:
        """FLOPs that these tokens cost."""
        return float(self.tokens * flops_per_token(self.train.model))

    @property
    def label(self) -> str:
        """A few words for a progress view."""
        return f"{human(self.parameters)} × {human(self.tokens)} tokens at {self.budget:.3g}"


def members(config: ComputeOptimalConfig) -> list[ModelConfig]:
    """The family at this study's vocabulary and context, smallest first."""
    return family_members(vocabulary=config.vocabulary, context=config.context, positions=config.positions)


def profile_models(config: ComputeOptimalConfig, budget: float) -> list[ModelConfig]:
    """The sizes of one budget's profile: log-spaced over `span` around the expected optimum, each rounded to the
    nearest member, no member twice.

    Where the range reaches below the smallest member it is cut off there; its upper end stays.
    """
    available = members(config)
    if config.sizes > len(available):
        raise BadInput(f"the family has {len(available)} sizes; a profile of {config.sizes} cannot be made of them")
    if config.expected(budget) > count(available[-1]):
        raise BadInput(
            f"a budget of {budget:g} FLOPs is best spent on about {human(config.expected(budget))} parameters, and the "
            f"family's largest member has {human(count(available[-1]))}: lower the budget"
        )
    centre, reach = config.expected(budget), math.sqrt(config.span)
    low = max(count(available[0]), centre / reach)
    chosen: dict[int, ModelConfig] = {}
    for wanted in np.geomspace(low, max(centre, low) * reach, config.sizes):
        free = [m for m in available if m.width not in chosen]
        best = min(free, key=lambda m: abs(math.log(count(m) / wanted)))
        chosen[best.width] = best
    return sorted(chosen.values(), key=count)


def sequences_at(config: ComputeOptimalConfig, budget: float) -> int:
    """Sequences in a batch of every run of this budget; at least 2."""
    return sequences_for(config.batch_tokens, budget, config.context)


def plan_run(
    config: ComputeOptimalConfig, role: str, budget: float, model: ModelConfig, setting: Setting
) -> PlannedRun:
    """The run that spends `budget` on `model`."""
    per_token = flops_per_token(model)
    sequences = sequences_at(config, budget)
    batch = sequences * config.context
    tokens = round(budget / per_token / batch) * batch
    if tokens < 20 * batch:
        raise BadInput(
            f"a budget of {budget:g} FLOPs buys {tokens:,} tokens for {count(model):,} parameters, fewer than 20 "
            f"steps of {batch} tokens: raise the budget or lower the span"
        )
    train = TrainConfig(
        model=model,
        tokens=tokens,
        sequences=sequences,
        peak_rate=config.peak_rate,
        embedding_rate=config.embedding_rate,
        seed=config.seed,
        corpus=setting.corpus,
        precision=setting.precision,
    )
    return PlannedRun(role=role, budget=budget, train=train)


def profile_runs(config: ComputeOptimalConfig, setting: Setting) -> list[PlannedRun]:
    """Every run of every fitted budget, the costliest first so that the workers finish together."""
    runs = [
        plan_run(config, "profile", budget, model, setting)
        for budget in config.budgets
        for model in profile_models(config, budget)
    ]
    return sorted(runs, key=lambda run: (-run.budget, run.parameters))


def holdout_runs(config: ComputeOptimalConfig, optimum: float, setting: Setting) -> list[PlannedRun]:
    """The runs at the held-out budget: the predicted optimum, the Gopher-like model, and their neighbours."""
    roles = {1.0: "optimal", 4.0: "gopher-like"}
    runs: dict[int, PlannedRun] = {}
    for multiple in sorted(config.holdout_multiples, key=lambda m: (m not in roles, m)):
        model = min(members(config), key=lambda m: abs(math.log(count(m) / (multiple * optimum))))
        if model.width not in runs:
            role = roles.get(multiple, "holdout")
            runs[model.width] = plan_run(config, role, config.holdout_budget, model, setting)
    return list(runs.values())
