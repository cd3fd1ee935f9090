"""`hutch culture train` and `hutch culture measure`: agents that follow an expert, and how much they owe it."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hutch.cli.numbers import from_zero, numbers, positive

if TYPE_CHECKING:
    from hutch.culture.training_config import TrainingConfig

RECIPES = ("open-field", "five-goals", "rough-ground")
SWITCHES = ("M", "ED", "AL", "ADR")


def add_commands(rooms: Any) -> None:
    """Add `culture` and its verbs to the command line."""
    room = rooms.add_parser(
        "culture",
        help="cultural transmission: agents that learn from whoever knows the way",
        epilog="example: hutch culture train --out my-agent && hutch culture measure my-agent",
    )
    verbs = room.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add_train(verbs)
    _add_measure(verbs)


def _add_train(verbs: Any) -> None:
    train = verbs.add_parser(
        "train",
        help="train an agent; the same command again goes on where it stopped",
        description="Train an agent beside experts that come and go, in worlds with a hidden order of goals.",
        epilog="example: hutch culture train --recipe open-field --frames 12M --out my-agent",
    )
    train.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to train it")
    train.add_argument(
        "--recipe", choices=RECIPES, default="open-field", help="what to begin with (default: open-field)"
    )
    train.add_argument(
        "--without",
        action="append",
        choices=SWITCHES,
        default=[],
        help="leave out memory, expert dropout, attention loss or automatic domain randomisation (repeatable)",
    )
    train.add_argument(
        "--frames", type=positive, metavar="N", help="steps of the agent, such as 12M (default: recipe's)"
    )
    train.add_argument("--worlds", type=int, metavar="W", help="episodes at once (default: the recipe's)")
    train.add_argument("--shards", type=int, metavar="S", help="parts for threads (default: the recipe's)")
    train.add_argument("--seed", type=int, default=0, help="weights, worlds and actions (default: 0)")
    train.add_argument(
        "--config", type=Path, metavar="FILE", help='JSON over the recipe, such as {"ppo": {"rate": 2e-3}}'
    )
    train.add_argument(
        "--threads", type=int, metavar="N", help="changes no bit (default: a thread a shard, at most cores)"
    )
    train.add_argument("--checkpoint-seconds", type=from_zero, default=30.0, help="between checkpoints (default: 30)")
    train.add_argument("--dry-run", action="store_true", help="print parameters, FLOPs and minutes; train nothing")
    train.add_argument("--json", action="store_true", help="one JSON document on stdout")
    train.set_defaults(call=train_agent)


def _add_measure(verbs: Any) -> None:
    measure = verbs.add_parser(
        "measure",
        help="the cultural transmission of an agent on worlds that it has never seen",
        description="Each world three times: expert there throughout, for the first half of the episode, never.",
        epilog="example: hutch culture measure my-agent --worlds 256 --json",
    )
    measure.add_argument("agent", type=Path, metavar="AGENT", help="a folder of `hutch culture train`, or its file")
    measure.add_argument("--worlds", type=int, default=128, metavar="W", help="of each probe (default: 128)")
    measure.add_argument("--grid", action="store_true", help="sizes × bumpiness × obstacles in place of the probes")
    measure.add_argument("--sizes", type=numbers, default=(13.0, 16.0, 20.0), help="of the grid (default: 13,16,20)")
    measure.add_argument("--bumpiness", type=numbers, default=(0.0, 0.5), help="of the grid (default: 0,0.5)")
    measure.add_argument("--pillars", type=numbers, default=(0.0, 2.0), help="of the grid, per 100 m² (default: 0,2)")
    measure.add_argument("--greedy", action="store_true", help="the most probable wishes, not drawn ones")
    measure.add_argument("--seed", type=int, default=0, help="of the worlds (default: 0)")
    measure.add_argument("--threads", type=int, metavar="N", help="for the worlds; changes no bit (default: cores)")
    measure.add_argument("--json", action="store_true", help="one JSON document on stdout")
    measure.set_defaults(call=measure_agent)


def train_agent(options: argparse.Namespace) -> None:
    """Train, or say what it would cost."""
    config = config_of(options)
    threads = _threads(options.threads, config.shards)
    from hutch.culture.training_folder import plan, train_in_folder
    from hutch.lm.allocator import keep_freed_memory

    keep_freed_memory()
    if options.dry_run:
        _print(plan(config, threads), options.json, _plan)
        return
    line = _Line()
    document = train_in_folder(
        config,
        options.out,
        threads=threads,
        command=options.typed,
        on_progress=line.update,
        on_message=line.message,
        checkpoint_seconds=options.checkpoint_seconds,
    )
    line.close()
    _print(document, options.json, lambda found: _trained(found, options.out))


def config_of(options: argparse.Namespace) -> "TrainingConfig":
    """The configuration that the flags ask for: recipe, then --config, then flags, then --without."""
    from dataclasses import replace

    from hutch.culture.plain_configs import changed
    from hutch.culture.training_config import RECIPES as made

    config = made[options.recipe]()
    if options.config:
        config = changed(config, options.config)
    changes: dict[str, Any] = {"seed": options.seed}
    changes |= {name: getattr(options, name) for name in ("worlds", "shards") if getattr(options, name) is not None}
    if options.frames is not None:
        changes["frames"] = round(options.frames)
    return replace(config, **changes).without(*options.without)


def _threads(asked: int | None, most: int | None = None) -> int:
    from hutch.runs.errors import BadInput
    from hutch.runs.machine import usable_cores

    if asked is not None and asked < 1:
        raise BadInput(f"--threads is {asked}; it must be at least 1")
    return asked or min(usable_cores(), most or usable_cores())


def measure_agent(options: argparse.Namespace) -> None:
    """Measure every probe, or every field of the grid."""
    from hutch.runs.errors import BadInput

    if options.worlds < 1:
        raise BadInput(f"--worlds is {options.worlds}; it must be at least 1")
    threads = _threads(options.threads)
    from hutch.culture.agent_files import load_agent
    from hutch.culture.probes import grid, probed, probes
    from hutch.culture.transmission import plain_figures

    agent, config = load_agent(options.agent)
    chosen = grid(config, options.sizes, options.bumpiness, options.pillars) if options.grid else probes(config)
    line, found = _Line(), {}
    for number, probe in enumerate(chosen):
        line.say(f"{probe.name} ({number + 1} of {len(chosen)})")
        _, figures = probed(agent, probe, options.worlds, options.seed, threads=threads, greedy=options.greedy)
        found[probe.name] = plain_figures(figures)
    line.clear()
    document = {
        "agent": str(options.agent),
        "name": config.name,
        "worlds": options.worlds,
        "seed": options.seed,
        "greedy": options.greedy,
        "probes": found,
    }
    _print(document, options.json, _measured)


def _print(document: dict[str, Any], as_json: bool, text: Callable[[dict[str, Any]], str]) -> None:
    print(json.dumps(document, indent=1, sort_keys=True) if as_json else text(document))


def _plan(plan: dict[str, Any]) -> str:
    from hutch.reports.formats import count, duration, percent, power

    share = plan["share"]
    rows = (
        ("agent", f"{plan['name']}, {count(plan['parameters'])} parameters, observations of {plan['observation']}"),
        ("frames", f"{count(plan['frames'])} in {plan['rollouts']} rollouts of {count(plan['rollout_frames'])}"),
        ("FLOPs", power(plan["flops"])),
        ("time", f"{duration(plan['minutes'] * 60)} on {plan['threads']} threads"),
        ("speed", f"{count(plan['frames_per_second'])} frames/s"),
        ("of which", ", ".join(f"{name} {percent(share[name])}" for name in share)),
    )
    return "\n".join(f"{name:>10}  {value}" for name, value in rows)


def _trained(document: dict[str, Any], folder: Path) -> str:
    from hutch.reports.formats import count, decimal

    found = document["transmission"]
    speed = count(document["frames_per_second"])
    return (
        f"{document['name']}: transmission {decimal(found['ct'], 2)}, recall {decimal(found['recall'], 2)} after "
        f"{count(document['frames'])} frames at {speed} frames/s; the agent is in {folder}"
    )


COLUMNS = ("ct", "full", "half", "solo", "recall", "late_solo")


def _measured(document: dict[str, Any]) -> str:
    from hutch.reports.formats import DASH, decimal

    def cell(figure: dict[str, float | None]) -> str:
        if figure["value"] is None:
            return DASH
        return f"{decimal(figure['value'], 2)} [{decimal(figure['low'], 2)}, {decimal(figure['high'], 2)}]"

    width = max(len(name) for name in document["probes"])
    lines = [
        f"{document['name']}, {document['worlds']} worlds a probe, 95 % intervals; scores as shares of the expert's"
    ]
    lines.append(f"{'':{width}}" + "".join(f"  {name:>20}" for name in COLUMNS))
    for name, figures in document["probes"].items():
        lines.append(f"{name:{width}}" + "".join(f"  {cell(figures[column]):>20}" for column in COLUMNS))
    return "\n".join(lines)


class _Line:
    """One line on stderr: rewritten on a terminal, now and then in a log."""

    LOG_SECONDS = 15.0

    def __init__(self) -> None:
        self._is_terminal, self._told = sys.stderr.isatty(), float("-inf")

    def update(self, progress: Any) -> None:
        """Where a training stands."""
        import time

        from hutch.reports.formats import count, decimal, duration, percent

        now = time.monotonic()
        if now - self._told < (0.2 if self._is_terminal else self.LOG_SECONDS):
            return
        self._told = now
        left = (progress.all_frames - progress.frames) / progress.frames_per_second
        self.say(
            f"{count(progress.frames)} frames ({percent(progress.frames / progress.all_frames)})  score "
            f"{decimal(progress.score, 2)}  transmission {decimal(progress.transmission, 2)}  "
            f"{count(progress.frames_per_second)} frames/s  {duration(left)} left"
        )

    def say(self, text: str) -> None:
        """The line."""
        print(f"\r\x1b[2K{text}" if self._is_terminal else text, end="" if self._is_terminal else "\n", file=sys.stderr)
        sys.stderr.flush()

    def message(self, text: str) -> None:
        """A line that stays."""
        print(f"\r\x1b[2K{text}" if self._is_terminal else text, file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Nothing of it is left on a terminal."""
        if self._is_terminal:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave the last line on the screen."""
        if self._is_terminal and self._told > 0:
            print(file=sys.stderr)
