"""Batch sizes and learning rates that others found best, as suggestions: each with its source, the range it was
measured on, and how far outside that range it is used here."""

import math
from dataclasses import dataclass

import numpy as np

from hutch.scaling.kaplan import KAPLAN_LAWS, KAPLAN_SIZES
from hutch.scaling.plans.architectures import ShapeChoice

DEEPSEEK = "DeepSeek-AI 2024 (arXiv:2401.02954), §3.1, eq. 1: rate 0.3118·C^-0.1250, batch 0.2920·C^0.3271 tokens"
STEP_LAW = "Li et al. 2025 (arXiv:2503.04715): rate 1.79·N^-0.713·D^0.307, batch 0.58·D^0.571 tokens"
KAPLAN = (
    "Kaplan et al. 2020 (arXiv:2001.08361): rate 0.003239 − 0.0001395·ln N (eq. D.1), critical batch "
    "2.1e8/L^4.76 tokens (eq. 5.3)"
)
CHINCHILLA = "Hoffmann et al. 2022 (arXiv:2203.15556): §3.1 and D.1, D.4, Table 4"

_CHINCHILLA_RATES = ((70e6, 2e-4), (10e9, 1.25e-4), (70e9, 1e-4))
_CHINCHILLA_BATCHES = ((2.8e9, 0.5e6), (70e9, 1.5e6))


@dataclass(frozen=True, kw_only=True)
class Reach:
    """One variable of a rule: where it was measured, where it is used."""

    variable: str
    value: float
    low: float
    high: float
    extrapolated: float | None
    """Factor beyond the nearer end of the range; None inside it."""


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """What one source suggests for the peak learning rate and the batch; None with a `reason` where it does not."""

    name: str
    source: str
    learning_rate: float | None
    batch_tokens: float | None
    batch_sequences: int | None
    """The batch in sequences of the plan's context, at least one."""
    steps: float | None
    """Tokens of the plan over the batch."""
    reaches: tuple[Reach, ...]
    note: str
    reason: str | None = None


def suggestions(
    compute: float, size: float, tokens: float, loss: float | None, choice: ShapeChoice | None, context: int
) -> tuple[Suggestion, ...]:
    """From four sources, for N = `size` on D = `tokens`; `loss` in nats per token, `choice` the shape if there is one.

    Sizes without embeddings are those of the shape, and `size` itself where there is no shape.
    """
    bare = float(choice.parameters_non_embedding) if choice else size
    return (
        _deepseek(_deepseek_compute(choice, tokens, compute), tokens, context),
        _step_law(bare, tokens, context),
        _kaplan(bare, tokens, loss, context),
        _chinchilla(size, tokens, context),
    )


def _deepseek_compute(choice: ShapeChoice | None, tokens: float, compute: float) -> float:
    """C = M·D, M = 72·ℓ·d² + 12·ℓ·d·S: non-embedding FLOP per token with attention (eq. 2), for any shape."""
    if choice is None:
        return compute
    shape = choice.shape
    attention = 12 * shape.layers * shape.attention_width * shape.context
    return (6 * choice.parameters_non_embedding + attention) * tokens


def _deepseek(compute: float, tokens: float, context: int) -> Suggestion:
    return _suggest(
        "DeepSeek LLM",
        DEEPSEEK,
        0.3118 * compute**-0.1250,
        0.2920 * compute**0.3271,
        tokens,
        context,
        (reach("C, non-embedding FLOP", compute, 1e17, 2e19),),
        "AdamW, a rate that falls in steps; checked by its authors at 1e20 and used for 7B and 67B on 2T tokens",
    )


def _step_law(size: float, tokens: float, context: int) -> Suggestion:
    return _suggest(
        "Step Law",
        STEP_LAW,
        1.79 * size**-0.713 * tokens**0.307,
        0.58 * tokens**0.571,
        tokens,
        context,
        (reach("N without embeddings", size, 2.15e8, 1.07e9), reach("D", tokens, 4e9, 1e11)),
        "AdamW, a cosine to a fixed 1e-5; another schedule may want another rate",
    )


def _kaplan(size: float, tokens: float, loss: float | None, context: int) -> Suggestion:
    rate = 0.003239 - 0.0001395 * math.log(size) if size <= 1e10 else None
    batch = None if loss is None else KAPLAN_LAWS.critical_batch(loss)
    reasons = [
        *(["No rate: its authors say that the rule breaks down above 1e10 parameters"] if rate is None else []),
        *(["No batch: no loss is known"] if loss is None else []),
    ]
    return _suggest(
        "Kaplan",
        KAPLAN,
        rate,
        batch,
        tokens,
        context,
        (reach("N without embeddings", size, *KAPLAN_SIZES),),
        "Adam or Adafactor, a cosine to 0; the batch is the critical one at the last loss, in the paper's own tokens: "
        "twice the fewest steps and twice the fewest tokens",
        ". ".join(reasons) or None,
    )


def _chinchilla(size: float, tokens: float, context: int) -> Suggestion:
    return _suggest(
        "Chinchilla's own",
        CHINCHILLA,
        _between(_CHINCHILLA_RATES, size),
        _between(_CHINCHILLA_BATCHES, size),
        tokens,
        context,
        (reach("N", size, 70e6, 70e9),),
        "AdamW, a cosine to one tenth; log–log between the values that the paper prints (2e-4 at the smallest, 1.25e-4 "
        "at 10B, 1e-4 at 70B; 0.5M tokens at 2.8B, 1.5M at 70B, where the batch doubled midway), the end values beyond",
    )


def _suggest(
    name: str,
    source: str,
    rate: float | None,
    batch: float | None,
    tokens: float,
    context: int,
    reaches: tuple[Reach, ...],
    note: str,
    reason: str | None = None,
) -> Suggestion:
    return Suggestion(
        name=name,
        source=source,
        learning_rate=rate,
        batch_tokens=batch,
        batch_sequences=None if batch is None else max(1, round(batch / context)),
        steps=None if batch is None else tokens / batch,
        reaches=reaches,
        note=note,
        reason=reason,
    )


def reach(variable: str, value: float, low: float, high: float) -> Reach:
    """How far `value` lies outside [low, high]."""
    factor = low / value if value < low else value / high
    return Reach(variable=variable, value=value, low=low, high=high, extrapolated=factor if factor > 1 else None)


def _between(points: tuple[tuple[float, float], ...], size: float) -> float:
    """Log–log interpolation, the end values outside."""
    sizes, values = np.log(np.array(points)).T
    return float(np.exp(np.interp(math.log(size), sizes, values)))
