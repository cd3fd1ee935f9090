"""Cultural transmission: worlds in which one who knows the way can be followed, and remembered.

GoalCycle3D (Bhoopchand et al. 2023, Nature Communications 14:7536) anew: square worlds of bumpy ground and obstacles,
in which coloured spheres are worth entering in a hidden cyclic order.

- `world_config`         every number of the rules and the observation
- `tasks`                what differs from world to world, and from where it is drawn
- `kinds`                what a ray can hit, as small numbers
- `rewards`              what entering a goal is worth; crossings of an order
- `world_state`          a batch of worlds as arrays; saved and read
- `observation_layout`   where what stands in an observation
- `worlds`               grow, step, observe: the compiled engine over a batch
- `experts`              bots that know the order, with a planner, noise, mistakes and pauses
- `dropout`              when the expert is there
- `episodes`             learners beside experts that drop out; recordings
- `agent_config`, `agent`, `memory`, `actions`  the agent; these and what follows need torch and are imported by who
                         wants them
- `training_config`      everything that its weights depend on; recipes; what can be left out
- `randomisation`, `assignments`  ranges of tasks that widen with transmission; what the worlds of a rollout are
- `rollouts`, `ppo`, `updates`, `shards`  episodes, what they teach, on which threads
- `training`, `metrics`, `agent_files`, `training_folder`, `plain_configs`  the loop, its lines, files and folder
- `transmission`, `probes`, `phases`  how much it owes to the expert; held-out tasks; the four phases
- `gymnasium_env`        one learner, as Gymnasium wants it (imported by who has gymnasium)
- `pettingzoo_env`       every avatar yours, as PettingZoo wants it
- `rendering`            a world from above as a picture
- `reference`            the same worlds in plain Python, to hold the engine against
- `compiled`, `*_kernels` what numba compiles: random numbers, terrain, growth, step, sight, experts, memory
"""

from hutch.culture.dropout import DropOut, presence
from hutch.culture.episodes import Episodes, EpisodesState, Recording
from hutch.culture.experts import ExpertConfig, Experts
from hutch.culture.observation_layout import ObservationLayout, observation_layout
from hutch.culture.rendering import render
from hutch.culture.rewards import entry_reward, self_crossings
from hutch.culture.tasks import ANY_CROSSINGS, TaskRanges, Tasks, paper_tasks, world_seeds
from hutch.culture.world_config import ACTIONS, WorldConfig, complex_world, laptop_world
from hutch.culture.world_state import WorldState
from hutch.culture.worlds import Worlds

__all__ = [
    "ACTIONS",
    "ANY_CROSSINGS",
    "DropOut",
    "Episodes",
    "EpisodesState",
    "ExpertConfig",
    "Experts",
    "ObservationLayout",
    "Recording",
    "TaskRanges",
    "Tasks",
    "WorldConfig",
    "WorldState",
    "Worlds",
    "complex_world",
    "entry_reward",
    "laptop_world",
    "observation_layout",
    "paper_tasks",
    "presence",
    "render",
    "self_crossings",
    "world_seeds",
]
