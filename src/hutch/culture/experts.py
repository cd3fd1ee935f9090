"""Scripted experts: bots that know the hidden order (Bhoopchand et al. 2023, Introduction: expert co-players
are hard-coded bots).

Legend: n worlds, a avatars, k goals, s nodes on a side of the field of ways.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np

from hutch.culture.world_config import ACTIONS
from hutch.culture.worlds import Worlds
from hutch.runs.errors import BadInput

Order = Literal["right", "reversed", "random"]
Gait = Literal["turning", "sidestepping"]


@dataclass(frozen=True, kw_only=True)
class ExpertConfig:
    """How an expert behaves; `right` with no errors is the teacher, the others are for tests.

    The way to a goal: straight where nothing is in the way, else down a field of cheapest ways over a grid around
    obstacles and around goals that would be wrong to enter. The field of a goal is made when it is first needed.
    """

    order: Order = "right"
    """`reversed` is the anti-expert (Shah et al. 2022), which goes the wrong way round; `random` goes anywhere."""
    gait: Gait = "turning"
    """`turning` faces where it goes; `sidestepping` keeps its heading: an unseen behaviour."""
    speed: float = 1.0
    """Share of the full forward wish."""
    noise: float = 0.0
    """Of turns (± `noise`, triangular) and of the forward wish (down by up to `noise`), each step."""
    error: float = 0.0
    """Probability of a wrong next goal, each time a goal was entered."""
    pause_rate: float = 0.0
    """Probability of beginning to stand still, each step: human-like pauses."""
    pause_steps: int = 8
    """Mean length of a pause."""
    agile: bool = False
    """Whether it jumps over hurdles and crouches under bars; else it walks around them."""
    margin: float = 0.3
    """Distance to things, metres."""
    nodes: int = 41
    """On a side of the field of ways."""
    lookahead: int = 2
    """Nodes down the field that it walks to."""

    def __post_init__(self) -> None:
        if self.order not in get_args(Order):
            raise BadInput(f"the expert's order is {self.order!r}; it must be {', '.join(get_args(Order))}")
        if self.gait not in get_args(Gait):
            raise BadInput(f"the expert's gait is {self.gait!r}; it must be {', '.join(get_args(Gait))}")
        for name in ("speed", "noise", "error", "pause_rate"):
            if not 0 <= getattr(self, name) <= 1:
                raise BadInput(f"the expert's {name} is {getattr(self, name)}; it must lie between 0 and 1")
        if self.speed == 0:
            raise BadInput("the expert's speed is 0; it must be above 0")
        if self.margin < 0 or self.pause_steps < 1:
            raise BadInput(
                f"the expert's margin is {self.margin} and pause_steps is {self.pause_steps}; "
                "they must be at least 0 and 1"
            )
        if not 5 <= self.nodes <= 257 or self.lookahead < 1:
            raise BadInput(
                f"the expert's nodes is {self.nodes} and lookahead is {self.lookahead}; "
                "they must be 5 to 257 and at least 1"
            )


class Plan(NamedTuple):
    """An `ExpertConfig` as kernels want it."""

    order: int
    sidesteps: bool
    pause_rate: float
    pause_steps: float
    agile: bool
    margin: np.float32
    lookahead: int


class ExpertState(NamedTuple):
    """What the experts of a batch have in mind."""

    aim_n: np.ndarray
    """int32: the goal that it goes to, −1 before the first."""
    seen_n: np.ndarray
    """int32: the last goal entered when it chose its aim."""
    pause_n: np.ndarray
    """int64: steps that it still stands."""
    speed_n: np.ndarray
    """float32."""
    noise_n: np.ndarray
    """float32."""
    error_n: np.ndarray
    """float32."""
    way_nkss: np.ndarray
    """float32: cost of the cheapest way from each node to each goal, where `ready_nk`."""
    ready_nk: np.ndarray
    """bool."""


class Experts:
    """One expert in every world of a batch, in the same avatar. Deterministic by the seeds of the worlds."""

    def __init__(self, worlds: Worlds, avatar: int, config: ExpertConfig) -> None:
        if not 0 <= avatar < worlds.config.avatars:
            raise BadInput(f"the expert's avatar is {avatar}; there are {worlds.config.avatars}, counted from 0")
        from hutch.culture import expert_kernels

        self._act = expert_kernels.act_slice
        self.worlds, self.avatar, self.config = worlds, avatar, config
        self.plan = Plan(
            order=get_args(Order).index(config.order),
            sidesteps=config.gait == "sidestepping",
            pause_rate=float(config.pause_rate),
            pause_steps=float(config.pause_steps),
            agile=config.agile,
            margin=np.float32(config.margin),
            lookahead=config.lookahead,
        )
        n, k, s = worlds.count, worlds.config.most_goals, config.nodes
        self.state = ExpertState(
            aim_n=np.full(n, -1, np.int32),
            seen_n=np.full(n, -1, np.int32),
            pause_n=np.zeros(n, np.int64),
            speed_n=np.full(n, config.speed, np.float32),
            noise_n=np.full(n, config.noise, np.float32),
            error_n=np.full(n, config.error, np.float32),
            way_nkss=np.zeros((n, k, s, s), np.float32),
            ready_nk=np.zeros((n, k), np.bool_),
        )

    def begin(
        self,
        which: np.ndarray | None = None,
        *,
        speed: np.ndarray | None = None,
        noise: np.ndarray | None = None,
        error: np.ndarray | None = None,
    ) -> None:
        """New episodes in the worlds `which` (bool [n], None: all): call it after every `Worlds.grow`.

        `speed`, `noise`, `error`: [n] each, in place of the configuration's; what is not given stays.
        """
        mask = slice(None) if which is None else which
        state = self.state
        state.aim_n[mask], state.seen_n[mask], state.pause_n[mask], state.ready_nk[mask] = -1, -1, 0, False
        for name, column, values in (
            ("speed", state.speed_n, speed),
            ("noise", state.noise_n, noise),
            ("error", state.error_n, error),
        ):
            if values is not None:
                if np.shape(values) != column.shape or not ((values >= 0) & (values <= 1)).all():
                    raise BadInput(f"the experts' {name} must be {column.shape[0]} numbers between 0 and 1")
                column[mask] = values[mask]

    def act(self, actions: np.ndarray, present: np.ndarray | None = None) -> None:
        """Write the experts' wishes into `actions`, float32 [n, a, 5]; 0 for an absent one (`present`, bool [n, a])."""
        worlds = self.worlds
        expected = (worlds.count, worlds.config.avatars, len(ACTIONS))
        if actions.shape != expected or actions.dtype != np.float32:
            raise BadInput(f"actions are {actions.dtype} {actions.shape}; experts write into float32 {expected}")
        here = np.ones(expected[:2], np.bool_) if present is None else np.ascontiguousarray(present, np.bool_)
        worlds.sliced(
            lambda start, stop: self._act(
                worlds.rules, self.plan, worlds.state, self.state, self.avatar, start, stop, here, actions
            )
        )

    def saved(self) -> ExpertState:
        """What the experts have in mind now, as a copy."""
        return ExpertState(*(array.copy() for array in self.state))

    def restore(self, state: ExpertState) -> None:
        """Go on from what `saved` gave."""
        for mine, theirs in zip(self.state, state, strict=True):
            if mine.shape != theirs.shape:
                raise BadInput(f"the experts' state has an array {theirs.shape} where these need {mine.shape}")
        for mine, theirs in zip(self.state, state, strict=True):
            mine[...] = theirs
