"""Cultural transmission: how much better an agent does for having seen an expert (Bhoopchand et al. 2023, Measuring
cultural transmission).

Legend: n tasks, c conditions: expert there throughout, in the first half, never; r resamples.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from hutch.culture.agent import Agent
from hutch.culture.dropout import DropOut
from hutch.culture.episodes import Episodes
from hutch.culture.experts import ExpertConfig
from hutch.culture.tasks import TaskRanges
from hutch.culture.world_config import ACTIONS
from hutch.runs.errors import BadInput
from hutch.runs.seeds import generator

CONDITIONS = ("full", "half", "none")
RESAMPLES = 2000


@dataclass(frozen=True)
class Scores:
    """The same tasks in three conditions."""

    agent_cn: np.ndarray
    """Scores of whole episodes."""
    late_cn: np.ndarray
    """Of their second halves."""
    expert_n: np.ndarray
    """The expert's score where it is there throughout."""

    def of(self, which: np.ndarray) -> "Scores":
        """Some of the tasks."""
        return Scores(self.agent_cn[:, which], self.late_cn[:, which], self.expert_n[which])


def transmission(full: float, half: float, solo: float, expert: float) -> float:
    """CT = ½ (A_full − A_solo)/E + ½ (A_half − A_solo)/E.

    Who ignores the expert has 0; who follows perfectly and forgets at once, ¾; who follows and remembers perfectly, 1;
    who needs no expert, 0 again. Raises BadInput where the expert earns nothing: there is no measure then.
    """
    if not expert > 0:
        raise BadInput(f"the expert's score is {expert:g}; transmission is measured against one above 0")
    return (full - solo) / expert / 2 + (half - solo) / expert / 2


@dataclass(frozen=True)
class Figure:
    """A number with its 95 % interval over tasks (percentile bootstrap); NaN where it has no value."""

    value: float
    low: float
    high: float


def measures(scores: Scores) -> dict[str, float]:
    """What the scores say, from means over tasks:

    `ct`: cultural transmission. `full`, `half`, `solo`: the agent's score against the expert's. `follow`:
    (A_full − A_solo)/E. `recall`: the second half of the episode after the expert has left it, against the same half
    with the expert there. `late_solo`: the same half where no expert ever was, against the same. `expert`: its score;
    `score_full`, `score_half`, `score_solo`: the agent's. Shares of a score that is not above 0 are NaN.
    """
    (full, half, solo), expert = scores.agent_cn.mean(axis=1), float(scores.expert_n.mean())
    late_full, late_half, late_solo = scores.late_cn.mean(axis=1)
    per_expert, per_late = (1 / value if value > 0 else np.nan for value in (expert, late_full))
    return {
        "ct": transmission(full, half, solo, expert) if expert > 0 else np.nan,
        "full": full * per_expert,
        "half": half * per_expert,
        "solo": solo * per_expert,
        "follow": (full - solo) * per_expert,
        "recall": late_half * per_late,
        "late_solo": late_solo * per_late,
        "expert": expert,
        "score_full": full,
        "score_half": half,
        "score_solo": solo,
    }


def figures(scores: Scores, *seed: int | str) -> dict[str, Figure]:
    """Each of `measures` with its interval."""
    count = len(scores.expert_n)
    random = generator("transmission", "bootstrap", *seed)
    values = measures(scores)
    draws = [measures(scores.of(random.integers(count, size=count))) for _ in range(RESAMPLES)]
    result = {}
    for name, value in values.items():
        of_name = np.array([draw[name] for draw in draws])
        known = of_name[np.isfinite(of_name)]
        low, high = np.percentile(known, (2.5, 97.5)) if len(known) else (np.nan, np.nan)
        result[name] = Figure(float(value), float(low), float(high))
    return result


def plain_figures(found: dict[str, Figure]) -> dict[str, Any]:
    """As JSON; None for NaN."""
    return {
        name: {end: value if np.isfinite(value) else None for end, value in asdict(figure).items()}
        for name, figure in found.items()
    }


def measured(
    agent: Agent,
    tasks: TaskRanges,
    worlds: int,
    *seed: int | str,
    expert: ExpertConfig | None = None,
    threads: int = 1,
    greedy: bool = False,
) -> Scores:
    """Let the agent act in `worlds` worlds that follow from `seed`, three times each.

    The conditions differ in the expert's presence alone: same worlds, same random numbers. `greedy`: the most probable
    wishes in place of drawn ones. `expert`: another behaviour than in training.
    """
    whole, late = np.zeros((2, len(CONDITIONS), worlds))
    expert_n = np.zeros(worlds)
    for c, condition in enumerate(CONDITIONS):
        schedule = DropOut(kind=condition)  # pyrefly: ignore[bad-argument-type]
        episodes = Episodes(agent.world, worlds, tasks=tasks, expert=expert, dropout=schedule, threads=threads)
        whole[c], late[c], of_expert_n = _played(agent, episodes, ("measured", *seed), greedy)
        expert_n = of_expert_n if condition == "full" else expert_n
        episodes.close()
    return Scores(whole, late, expert_n)


def _played(
    agent: Agent, episodes: Episodes, seed: tuple[int | str, ...], greedy: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores of whole episodes and of their second halves, and the expert's."""
    seen_nod, belief = episodes.begin(*seed), agent.blank(episodes.count)
    random, half = generator("actions", *seed), (episodes.world.steps + 1) // 2
    early_n = np.zeros(episodes.count)
    while not episodes.over:
        if episodes.time == half:
            early_n = episodes.worlds.state.score_na[:, 0].copy()
        chance_nv = torch.from_numpy(random.random((episodes.count, len(ACTIONS)), dtype=np.float32))
        act = agent.act(torch.from_numpy(seen_nod[:, 0].copy()), belief, None if greedy else chance_nv)
        belief = act.belief
        seen_nod, _ = episodes.step(act.wish_nv.numpy()[:, None])
    score_na = episodes.worlds.state.score_na
    return score_na[:, 0].copy(), score_na[:, 0] - early_n, score_na[:, 1].copy()
