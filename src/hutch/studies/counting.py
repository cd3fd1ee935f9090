"""What a model of the family counts for, and numbers as a progress view shows them."""

from hutch.lm import ModelConfig, shape_of
from hutch.scaling import parameters, training_flops_per_token

CONVENTION = "executed"
"""FLOPs are Hoffmann's Appendix F less the embedding look-up, which multiplies nothing here."""


def count(model: ModelConfig) -> int:
    """Parameters by the formula of `hutch.scaling`, the embedding once, gains left out as there."""
    return parameters(shape_of(model), positions=model.positions)


def flops_per_token(model: ModelConfig) -> int:
    """Training FLOPs for one token, without retrieval."""
    return training_flops_per_token(shape_of(model), CONVENTION, model.positions)


def sequences_for(batch_tokens: tuple[float, float], budget: float, context: int) -> int:
    """Sequences in a batch of every run of a budget, at least 2: batches grow as the cube root of the budget through a
    (FLOPs, tokens) pair."""
    at, tokens = batch_tokens
    return max(2, round(tokens * (budget / at) ** (1 / 3) / context))


def human(value: float) -> str:
    """1,234,567 as "1.23M"."""
    for size, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"
