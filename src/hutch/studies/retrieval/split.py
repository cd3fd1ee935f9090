"""How to spend a budget on parameters, tokens and a database: the measured best, and a law where the data carry one.

The law is L(N, D, R) = E + A·N^−α + B·D^−β + δ − g·ln(1 + R/R₀) in bits per byte: the first three terms are fitted to
the models without retrieval (`hutch.scaling.fit_parametric`), δ is what RETRO loses when retrieval is off, and g is
what an e-fold of the database gains, by least squares over the sizes that were measured. A budget pays for training,
for the search, and for the database itself.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from hutch.lm import family_members
from hutch.retrieval.retro import retro_of, retro_training_flops_per_token
from hutch.runs import BadInput
from hutch.scaling import RunTable, fit_parametric
from hutch.scaling.laws import ParametricLaw
from hutch.studies.counting import count, flops_per_token
from hutch.studies.retrieval.comparisons import Scores, averaged, width_of
from hutch.studies.retrieval.configuration import CHUNK
from hutch.studies.retrieval.costs import database_flops, join_flops
from hutch.studies.retrieval.resampling import Figure, mean
from hutch.studies.retrieval.settings import OFF, Setting

SCALES_OF_R = 24
"""Values of R₀ that are tried, from a thirtieth of the smallest database to thirty times the largest."""
LARGEST_WIDTH = 512
"""Decoders up to this width are considered by the law; far larger ones would be extrapolation without end."""


def best_sizes(scores: Scores) -> list[dict[str, Any]]:
    """For each budget the width that is best with and without retrieval, and how often the resampled documents agree;
    with retrieval, also by size of the database: the measured split."""
    found, k = [], scores.config.neighbours
    for budget in sorted({cell.budget for cell in scores.cells()}):
        cells = [cell for cell in scores.cells() if cell.budget == budget]
        plain = [(cell.width, scores.figure(cell.plain)) for cell in cells if cell.plain is not None]
        by_size = [
            {
                "chunks": size,
                "tokens": size * scores.tokens_per_chunk,
                **_best([(cell.width, scores.figure(cell.retro, Setting(size, k).name)) for cell in cells], scores),
            }
            for size in scores.sizes
        ]  # fmt: skip
        found.append(
            {
                "budget": budget,
                "widths": [cell.width for cell in cells],
                "plain": _best(plain, scores) if plain else None,
                "retro": by_size[-1],
                "by_size": by_size,
            }
        )
    return found


def _best(figures: Sequence[tuple[int, Figure]], scores: Scores) -> dict[str, Any]:
    values = np.array([figure.value for _, figure in figures])
    draws = np.stack([figure.draws for _, figure in figures])
    place = int(values.argmin())
    width, figure = figures[place]
    return {
        "width": width,
        "parameters": count(scores.config.model(width)),
        "bits_per_byte": scores.json(figure),
        "agreement": float(np.mean(draws.argmin(0) == place)),
        "at_edge": place in (0, len(figures) - 1),
    }


def law(scores: Scores, database: dict[str, Any]) -> dict[str, Any]:
    """The law and the best split of each budget by it, or the reason why there is none."""
    plain = scores.without()
    empty = {"reason": None, "constants": None, "gain": None, "penalty": None, "optima": []}
    try:
        table = RunTable.of(
            parameters=[row.parameters or 0.0 for row in plain],
            tokens=[float(row.tokens or 0) for row in plain],
            flops=[row.flops or 0.0 for row in plain],
            loss=[scores.figure(row).value for row in plain],
        )
        fit = fit_parametric(table, bootstraps=200, level=scores.config.level, seed=scores.config.seed)
    except BadInput as error:
        return empty | {"reason": f"the models without retrieval give no law: {error}"}
    if fit.law is None:
        return empty | {"reason": f"the models without retrieval give no law: {fit.status}"}
    gained = database_gain(scores)
    if gained is None:
        return empty | {"reason": "no model was trained on RETRO's tokens without retrieval"}
    scale, g, penalty = gained
    told = empty | {
        "constants": {name: getattr(fit.law, name) for name in ("E", "A", "B", "alpha", "beta")} | {"R0": scale},
        "gain": scores.json(g),
        "penalty": scores.json(penalty),
        "status": fit.status,
        "notes": [*fit.notes, *_unheld(scale, scores)],
    }
    interval = g.interval(scores.config.level)
    if not interval.low > 0:
        return told | {
            "reason": "the interval of g, the gain for an e-fold of the database, holds 0: these runs do not say that "
            "a database is worth anything, so no split into three is drawn from them"
        }
    optima = [optimum(scores, fit.law, (scale, g.value, penalty.value), database, b) for b in scores.config.budgets]
    return told | {"optima": optima}


def database_gain(scores: Scores) -> tuple[float, Figure, Figure] | None:
    """(R₀ in chunks, g, δ) of off − on = g·ln(1 + R/R₀), averaged over all cells, and δ = off − same tokens. R₀ is the
    one that fits the averages best, and is held in the resamples."""
    sizes = np.asarray(scores.sizes, float)
    on = averaged(scores, [Setting(0, 0), *(Setting(int(n), scores.config.neighbours) for n in scores.sizes)])
    if on is None:
        return None
    gains = [figure - on[0] for figure in on[1:]]
    values, draws = np.array([f.value for f in gains]), np.stack([f.draws for f in gains])
    tried = []
    for scale in scales_tried(scores):
        x = np.log1p(sizes / scale)
        weights = x / np.square(x).sum()
        tried.append((float(np.square(values - (weights @ values) * x).sum()), scale, weights))
    _, scale, weights = min(tried, key=lambda one: one[0])
    off = mean([scores.figure(c.retro, OFF) - scores.figure(c.same) for c in scores.cells() if c.same is not None])
    return float(scale), Figure(float(weights @ values), weights @ draws), off


def scales_tried(scores: Scores) -> np.ndarray:
    """Values of R₀, in chunks."""
    return np.geomspace(scores.sizes[0] / 30, scores.sizes[-1] * 30, SCALES_OF_R)


def _unheld(scale: float, scores: Scores) -> list[str]:
    tried = scales_tried(scores)
    if tried[0] < scale < tried[-1]:
        return []
    shape = "a straight line in ln R" if scale <= tried[0] else "a straight line in R"
    return [f"The gain is {shape} as far as it was measured: these runs do not hold R₀, which lies at the edge of "
            f"what was tried ({scale:,.0f} chunks)."]  # fmt: skip


def optimum(
    scores: Scores,
    plain: ParametricLaw,
    gain: tuple[float, float, float],
    database: dict[str, Any],
    budget: float,
) -> dict[str, Any]:
    """The best (N, D, R) of a budget by the law, beside the best without retrieval."""
    config, (scale, g, penalty) = scores.config, gain
    models = family_members(vocabulary=config.vocabulary, context=config.context, largest=LARGEST_WIDTH)
    best: dict[str, Any] = {"budget": budget, "plain": None, "retro": None}
    for model in models:
        n, flops = count(model), flops_per_token(model)
        _keep(best, "plain", float(plain.loss(n, budget / flops)), n, budget / flops, 0.0, model.width)
        per_token = retro_training_flops_per_token(retro_of(model), config.neighbours) + join_flops(database) / CHUNK
        for chunks in np.geomspace(1, scores.chunks, 40).tolist():
            once = database_flops(database) * chunks / database["chunks"]
            tokens = (budget - once) / per_token
            if tokens > 0:
                loss = float(plain.loss(n, tokens)) + penalty - g * float(np.log1p(chunks / scale))
                _keep(best, "retro", loss, n, tokens, chunks * scores.tokens_per_chunk, model.width)
    sizes = {width_of(row) for row in scores.rows}
    for name in ("plain", "retro"):
        best[name]["extrapolated"] = not min(sizes) <= best[name]["width"] <= max(sizes)
    best["database_at_edge"] = best["retro"]["database_tokens"] >= 0.999 * scores.chunks * scores.tokens_per_chunk
    best["worth_it"] = best["retro"]["bits_per_byte"] < best["plain"]["bits_per_byte"]
    return best


def _keep(best: dict[str, Any], name: str, loss: float, n: float, d: float, r: float, width: int) -> None:
    if best[name] is None or loss < best[name]["bits_per_byte"]:
        best[name] = {"bits_per_byte": loss, "parameters": n, "tokens": d, "database_tokens": r, "width": width}
