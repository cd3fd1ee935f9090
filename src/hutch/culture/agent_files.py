"""Agents and the state of their training on disk, each one safetensors file that appears by rename.

The header holds the training's configuration, so that a file alone says which worlds the agent knows.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from hutch.culture.agent import Agent
from hutch.culture.observation_layout import observation_layout
from hutch.culture.plain_configs import built
from hutch.culture.randomisation import Ranges
from hutch.culture.training_config import TrainingConfig
from hutch.culture.world_config import WorldConfig
from hutch.runs.atomic import atomic_path
from hutch.runs.configuration import canonical_json, digest
from hutch.runs.errors import BadInput, HutchError

FORMAT = "hutch agent 1"
"""What the weights mean: the name under which a file holds its configuration."""
AGENT_FILE, CHECKPOINT_FILE = "agent.safetensors", "checkpoint.safetensors"


class Position(NamedTuple):
    """How far a training is."""

    rollouts: int
    seconds: float
    """Wall time so far."""
    ranges: Ranges


def save_agent(path: Path, agent: Agent, config: TrainingConfig) -> None:
    """The weights. Equal weights are equal files."""
    with atomic_path(path) as temporary:
        save_file(_weights(agent), temporary, metadata={FORMAT: canonical_json(config)})


def load_agent(place: Path, world: WorldConfig | None = None) -> tuple[Agent, TrainingConfig]:
    """The agent in a run's folder, finished or not, or in a file of either kind; and how it was trained.

    `world`: where it is going to act. Raises BadInput if its observations are laid out otherwise than the agent
    knows, HutchError for a missing or damaged file.
    """
    path = Path(place)
    if path.is_dir():
        found = [path / name for name in (AGENT_FILE, CHECKPOINT_FILE) if (path / name).exists()]
        if not found:
            raise HutchError(f"{path} holds no agent: neither {AGENT_FILE} nor {CHECKPOINT_FILE} is there")
        path = found[0]
    with _readable(path, "is no agent of Hutch"):
        config = _config_in(path)
        agent = Agent(config.agent, config.world)
        agent.load_state_dict({name[6:]: value for name, value in load_file(path).items() if name[:6] == "agent."})
    if world is not None:
        check_layout(config.world, world, path)
    return agent.eval(), config


def check_layout(known: WorldConfig, asked: WorldConfig, path: Path) -> None:
    """Raises BadInput with the first block of an observation that an agent of `known` worlds would misread."""
    mine, theirs = observation_layout(known).shapes, observation_layout(asked).shapes
    for name, shape in mine.items():
        if shape != theirs[name]:
            raise BadInput(
                f"{path} knows another observation: its {name} has the shape {shape}, that of these worlds "
                f"{theirs[name]}; give worlds with the rays, goals and avatars of its training"
            )


class CheckpointFile:
    """The state of a training at `path`, of one very configuration."""

    def __init__(self, path: Path, config: TrainingConfig) -> None:
        self.path, self.config = path, config

    def save(self, agent: Agent, optimizer: torch.optim.Adam, position: Position) -> None:
        """Everything that the next rollout depends on."""
        tensors = _weights(agent)
        for name, parameter in agent.named_parameters():
            for moment, value in optimizer.state[parameter].items():
                tensors[f"adam.{moment}.{name}"] = value
        for name, array in position.ranges._asdict().items():
            tensors[f"ranges.{name}"] = torch.from_numpy(array.copy())
        tensors["rollouts"] = torch.tensor(position.rollouts)
        tensors["seconds"] = torch.tensor(position.seconds, dtype=torch.float64)
        with atomic_path(self.path) as temporary:
            save_file(tensors, temporary, metadata={FORMAT: canonical_json(self.config)})

    def load(self, agent: Agent, optimizer: torch.optim.Adam) -> Position | None:
        """Put the state back in place; None where there is no checkpoint of this configuration."""
        if not self.path.exists():
            return None
        with _readable(self.path, "cannot be read; remove it to train this run anew"):
            if digest(_config_in(self.path)) != digest(self.config):
                return None
            tensors = load_file(self.path)
            agent.load_state_dict({name[6:]: value for name, value in tensors.items() if name[:6] == "agent."})
            for name, parameter in agent.named_parameters():
                optimizer.state[parameter] = {
                    moment: tensors[f"adam.{moment}.{name}"] for moment in ("step", "exp_avg", "exp_avg_sq")
                }
            ranges = Ranges(*(tensors[f"ranges.{name}"].numpy() for name in Ranges._fields))
            return Position(int(tensors["rollouts"]), float(tensors["seconds"]), ranges)


def _weights(agent: Agent) -> dict[str, Tensor]:
    return {f"agent.{name}": value for name, value in agent.state_dict().items()}


@contextmanager
def _readable(path: Path, otherwise: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise HutchError(f"{path} does not exist") from error
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise HutchError(f"{path} {otherwise} ({' '.join(str(error).split())})") from error


def _config_in(path: Path) -> TrainingConfig:
    with safe_open(path, framework="pt") as handle:
        metadata = handle.metadata() or {}
    return built(TrainingConfig, json.loads(metadata[FORMAT]))
