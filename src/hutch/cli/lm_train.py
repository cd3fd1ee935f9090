"""`hutch lm train`: one model, on one process or, under torchrun, on several."""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hutch.cli.numbers import from_zero

SECONDS_BEFORE_OTHERS_SPEAK = 8.0
COMPILE = {"auto": None, "yes": True, "no": False}


def add_train(verbs: Any) -> None:
    """Add `train` to the verbs of `hutch lm`."""
    train = verbs.add_parser(
        "train",
        help="train a model; the same command again goes on where it stopped",
        description="Train one model. Start it with torchrun to train it on several processes or devices together: "
        "torchrun --standalone --nproc-per-node 2 -m hutch.cli.main lm train ...",
        epilog="example: hutch lm train --corpus my-texts/ --width 256 --tokens 10M --out my-model",
    )
    add_model(train)
    add_recipe(train)
    add_session(train)
    train.add_argument(
        "--compile",
        choices=tuple(COMPILE),
        default="auto",
        help="compile the model first: slow to start, perhaps faster to run (default: where it pays, by measurement)",
    )
    train.add_argument(
        "--group",
        choices=("replicated", "sharded"),
        default="replicated",
        help="under torchrun: the whole model in each process, or a part (default: replicated)",
    )
    train.add_argument("--dry-run", action="store_true", help="print parameters, FLOPs and minutes; train nothing")
    train.set_defaults(call=train_model)


def add_model(train: argparse.ArgumentParser) -> None:
    """Which model, of fresh weights."""
    group = train.add_argument_group("the model")
    which = group.add_mutually_exclusive_group(required=True)
    which.add_argument("--width", type=int, metavar="W", help="a member of the family, by its width")
    which.add_argument("--shape", metavar="NAME", help="a published shape: gopher-44M, chinchilla-74M, ...")
    group.add_argument("--vocabulary", type=int, metavar="V", help="tokens of the tokenizer (default: 2048)")
    group.add_argument("--context", type=int, metavar="T", help="tokens of a sequence (default: 256, or the shape's)")
    group.add_argument("--positions", choices=("rotary", "relative"), default="rotary", help="(default: rotary)")


def add_recipe(train: argparse.ArgumentParser) -> None:
    """On what, for how long, at which rate."""
    group = train.add_argument_group("how it is trained")
    group.add_argument("--corpus", required=True, metavar="DIR|TEXT", help="a corpus, or a file or folder of text")
    group.add_argument("--tokens", type=count_of, required=True, metavar="D", help="training tokens, such as 10M")
    group.add_argument("--sequences", type=int, default=16, metavar="B", help="in a batch (default: 16)")
    group.add_argument("--max-epochs", type=from_zero, default=4.0, help="passes over the corpus allowed (default: 4)")
    group.add_argument("--peak-rate", type=from_zero, default=0.006, help="learning rate at width 64 (default: 0.006)")
    group.add_argument("--schedule", choices=("cosine", "wsd", "constant"), default="cosine", help="(default: cosine)")
    group.add_argument("--cooldown", type=from_zero, default=0.2, help="share of the steps, under wsd (default: 0.2)")
    group.add_argument("--algorithm", choices=("adamw", "muon"), default="adamw", help="(default: adamw)")
    group.add_argument(
        "--precision", choices=("auto", "float32", "bfloat16"), default="auto", help="(default: what is faster here)"
    )
    group.add_argument("--micro-sequences", type=int, metavar="N", help="sequences in one pass of one process")
    group.add_argument("--recompute", action="store_true", help="keep no activations in blocks: less memory, slower")
    group.add_argument("--seed", type=int, default=0, help="weights and order of the data (default: 0)")


def add_session(train: argparse.ArgumentParser) -> None:
    """Where, and how it is watched."""
    train.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to train it")
    train.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    train.add_argument("--checkpoint-seconds", type=from_zero, default=60.0, help="between checkpoints (default: 60)")
    train.add_argument("--json", action="store_true", help="one JSON document on stdout")


def count_of(text: str) -> int:
    """A whole number that may be written as 10M."""
    return round(from_zero(text))


def train_model(options: argparse.Namespace) -> None:
    """Train, or say what it would cost; print the result from the first process."""
    in_process(lambda: _work(options))


def in_process(work: Callable[[], None]) -> None:
    """Do the work of one process, alone or under torchrun."""
    from hutch.lm.launch import rank_of_process
    from hutch.runs.errors import HutchError

    if rank_of_process() == 0:
        work()
        return
    try:
        work()
    except HutchError:
        # What one process refuses, all do, and the first says so; torchrun ends the others while they wait. Only
        # a process that alone is in trouble comes to speak.
        time.sleep(SECONDS_BEFORE_OTHERS_SPEAK)
        raise
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _work(options: argparse.Namespace) -> None:
    from hutch.lm.allocator import keep_freed_memory
    from hutch.lm.launch import device_of_process, group_from_environment
    from hutch.lm.run_folder import plan_run, train_in_folder

    request = request_of(options)
    device = device_of_process(options.device)
    keep_freed_memory()
    with group_from_environment(options.group, device=device) as group:
        session = session_of(options, group, device)
        document = (plan_run if options.dry_run else train_in_folder)(request, session)
    if group.rank == 0:
        _print(document, options)


def session_of(options: argparse.Namespace, group: Any, device: str) -> Any:
    """The `RunSession` that the flags ask for."""
    from hutch.lm.run_folder import RunSession

    return RunSession(
        folder=options.out,
        corpus=options.corpus,
        group=group,
        device=device,
        max_epochs=options.max_epochs,
        checkpoint_seconds=options.checkpoint_seconds,
        command=options.typed,
        **_listeners(group.rank == 0),
    )


def request_of(options: argparse.Namespace) -> Any:
    """The `TrainRequest` that the flags ask for."""
    import dataclasses

    from hutch.lm.train_request import TrainRequest

    names = [field.name for field in dataclasses.fields(TrainRequest) if hasattr(options, field.name)]
    chosen = {name: getattr(options, name) for name in names}
    chosen["compiled"] = COMPILE[getattr(options, "compile", "no")]
    chosen["precision"] = None if options.precision == "auto" else options.precision
    return TrainRequest(**chosen)


def _listeners(speaks: bool) -> dict[str, Any]:
    """What a `RunSession` tells, of the first process alone."""
    from hutch.cli.train_line import TrainLine

    if not speaks:
        return {}
    line = TrainLine()
    return {"on_start": line.start, "on_progress": line.update, "on_message": line.message}


def _print(document: dict[str, Any], options: argparse.Namespace) -> None:
    if options.json:
        print(json.dumps(document, indent=1, sort_keys=True))
    elif options.dry_run:
        print(_plan(document))
    else:
        print(summary(document, options.out))


def _plan(plan: dict[str, Any]) -> str:
    from hutch.reports.formats import count, duration, power

    model = plan["model"]
    time = "more memory than there is here" if plan["minutes"] is None else duration(plan["minutes"] * 60)
    return "\n".join(
        f"{name:>10}  {value}"
        for name, value in (
            ("model", f"{model['layers']} layers of width {model['width']}, context {model['context']}"),
            ("parameters", count(plan["parameters"])),
            ("tokens", f"{count(plan['tokens'])} in {plan['steps']} steps of {count(plan['batch_tokens'])}"),
            ("FLOPs", f"{power(plan['flops'])} (6·N·D: {power(plan['flops_6nd'])})"),
            ("time", f"{time} on {plan['processes']} processes in {plan['precision']}"),
        )
    )


def summary(document: dict[str, Any], folder: Path) -> str:
    from hutch.reports.formats import count, decimal, duration, percent, power

    costs = document["costs"]
    return (
        f"loss {decimal(document['loss'])} after {count(costs['tokens'])} tokens and {power(costs['flops'])} FLOPs in "
        f"{duration(document['seconds'])}: {count(document['tokens_per_second'])} tokens/s, MFU "
        f"{percent(document['mfu'])}; the model is in {folder}"
    )
