"""Training steps of a RETRO model with and without retrieval, and of the PyPI package retro-pytorch at the same shape.

    python bench/retro.py [--shapes small,mid] [--sequences 4] [--rounds 7] [--json]

A step is loss and gradients of float32 on one thread, interleaved, in CPU seconds of the process, since wall time says
more about what else the machine does; the figure is the median. Prints for each shape on / off (what retrieval costs)
next to the same ratio of the counted FLOPs, peer / ours where the peer can be imported (above 1: ours is faster), and
the milliseconds of a token that is read with a cache behind prefixes of several lengths; writes bench/retro.json.

The peer, in a folder of its own, since it must not decide about this environment's packages:

    pip install --no-deps --target /tmp/peer retro-pytorch==0.3.9 einops
    PYTHONPATH=/tmp/peer python bench/retro.py

It has eight heads in decoder and encoder whatever it is told, so "ours alike" has them too.
"""

import argparse
import json
import os
import statistics
import sys
import time
import types
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import torch
import torch.nn.functional as F
from torch import Tensor

from hutch.lm import ModelConfig, keep_freed_memory, refuse_dynamic_threads
from hutch.retrieval.retro import (
    RetroConfig,
    build_retro,
    new_retro_cache,
    read_on,
    retro_training_flops_per_token,
)

NEIGHBOURS, ENCODER_WIDTH, VOCABULARY, CONTEXT = 2, 128, 8192, 512
PEER_HEADS = 8
PREFIXES = (64, 128, 256, 448)

SHAPES = {"small": (256, 6, 8, (3, 6), 1.7), "mid": (384, 12, 12, (6, 9, 12), 1.5)}
"""width, layers, heads, cross-attention layers, and the goal for on / off."""

Step = Callable[[], None]


def config_of(shape: str) -> RetroConfig:
    width, layers, heads, cross_layers, _ = SHAPES[shape]
    decoder = ModelConfig(
        layers=layers,
        width=width,
        heads=heads,
        key_size=width // heads,
        feed_forward=4 * width,
        vocabulary=VOCABULARY,
        context=CONTEXT,
    )
    return RetroConfig(
        decoder=decoder,
        encoder_width=ENCODER_WIDTH,
        encoder_heads=4,
        encoder_key_size=ENCODER_WIDTH // 4,
        encoder_feed_forward=4 * ENCODER_WIDTH,
        cross_layers=cross_layers,
    )


def alike(config: RetroConfig) -> RetroConfig:
    """The same with the peer's heads."""
    size = config.decoder.width // PEER_HEADS
    decoder = replace(config.decoder, heads=PEER_HEADS, key_size=size)
    return replace(config, decoder=decoder, encoder_heads=PEER_HEADS, encoder_key_size=size)


def batch_of(config: RetroConfig, sequences: int) -> tuple[Tensor, Tensor]:
    """Tokens [b, t + 1] and neighbours [b, l, k, r], a quarter of which end early."""
    random = torch.Generator().manual_seed(0)
    chunks = CONTEXT // config.chunk
    ids = torch.randint(1, VOCABULARY, (sequences, CONTEXT + 1), generator=random)
    shape = (sequences, chunks, NEIGHBOURS, config.neighbour_tokens)
    neighbours = torch.randint(1, VOCABULARY, shape, generator=random)
    neighbours[:, ::2, 1, 100:] = -1
    return ids, neighbours


def ours(config: RetroConfig, ids: Tensor, neighbours: Tensor | None) -> Step:
    model = build_retro(config, 0)

    def step() -> None:
        model.zero_grad(set_to_none=True)
        model.loss(ids[:, :-1], ids[:, 1:], neighbours).backward()

    return step


def peer_class() -> Any:
    """retro_pytorch's model, or None. It imports autofaiss and faiss for its database alone, and the first of them
    cannot be had for NumPy 2: an empty module stands in for it."""
    for name, attribute in (("autofaiss", "build_index"), ("faiss", "")):
        if name not in sys.modules:
            sys.modules[name] = types.ModuleType(name)
            setattr(sys.modules[name], attribute or "stub", None)
    try:
        from retro_pytorch.retro_pytorch import RETRO
    except ImportError as error:
        print(f"no peer: {error}", file=sys.stderr)
        return None
    return RETRO


def peer(retro: Any, config: RetroConfig, ids: Tensor, neighbours: Tensor | None) -> Step:
    model = retro(
        num_tokens=VOCABULARY,
        max_seq_len=CONTEXT,
        enc_dim=config.encoder_width,
        enc_depth=config.encoder_layers,
        enc_cross_attn_layers=config.encoder_cross_layers,
        dec_depth=config.decoder.layers,
        dec_cross_attn_layers=config.cross_layers,
        dec_dim=config.decoder.width,
        dim_head=config.decoder.width // PEER_HEADS,
        chunk_size=config.chunk,
        pad_id=0,
    )
    padded = None if neighbours is None else neighbours.clamp(min=0)

    def step() -> None:
        model.zero_grad(set_to_none=True)
        if padded is None:
            F.cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten()).backward()
        else:
            model(ids, padded, return_loss=True).backward()

    return step


def steps_of(config: RetroConfig, sequences: int) -> dict[str, Step]:
    """By name, the reference first."""
    ids, neighbours = batch_of(config, sequences)
    found = {"off": ours(config, ids, None), "on": ours(config, ids, neighbours)}
    retro = peer_class()
    if retro is not None:
        found["ours alike"] = ours(alike(config), ids, neighbours)
        found["peer on"] = peer(retro, config, ids, neighbours)
        found["peer off"] = peer(retro, config, ids, None)
    return found


def median_seconds(steps: dict[str, Step], rounds: int) -> dict[str, float]:
    """CPU seconds of each, after one step to warm up."""
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for index in range(rounds + 1):
        for name, step in steps.items():
            began = time.process_time()
            step()
            if index:
                taken[name].append(time.process_time() - began)
    return {name: statistics.median(found) for name, found in taken.items()}


def reading_milliseconds(config: RetroConfig) -> dict[int, float]:
    """CPU milliseconds of a token behind each prefix: the median of a chunk's tokens but the last, which also pays for
    encoding the chunk's neighbours."""
    model = build_retro(config, 0).eval()
    ids, neighbours = batch_of(config, 1)
    found: dict[int, list[float]] = {prefix: [] for prefix in PREFIXES}
    with torch.inference_mode():
        cache = new_retro_cache(model, 1, CONTEXT)
        for place in range(CONTEXT):
            began = time.process_time()
            model.logits(read_on(model, cache, ids[:, place : place + 1], neighbours[:, place // config.chunk :]))
            taken = (time.process_time() - began) * 1e3
            prefix = place // config.chunk * config.chunk
            if prefix in found and place % config.chunk < config.chunk - 1:
                found[prefix].append(taken)
    return {prefix: statistics.median(times) for prefix, times in found.items()}


def measure(shape: str, sequences: int, rounds: int) -> dict[str, Any]:
    config = config_of(shape)
    seconds = median_seconds(steps_of(config, sequences), rounds)
    tokens = sequences * CONTEXT
    flops = [retro_training_flops_per_token(config, k) for k in (NEIGHBOURS, 0)]
    found = {
        "shape": shape,
        "seconds": seconds,
        "tokens_per_second": {name: tokens / value for name, value in seconds.items()},
        "on_over_off": seconds["on"] / seconds["off"],
        "goal": SHAPES[shape][-1],
        "flops_on_over_off": flops[0] / flops[1],
        "reading_milliseconds": reading_milliseconds(config),
    }
    if "peer on" in seconds:
        found["peer_over_ours"] = seconds["peer on"] / seconds["ours alike"]
        found["peer_on_over_off"] = seconds["peer on"] / seconds["peer off"]
    return found


def told(found: dict[str, Any]) -> str:
    """One line."""
    reading = ", ".join(f"{ms:.1f} at {prefix}" for prefix, ms in found["reading_milliseconds"].items())
    peers = ""
    if "peer_over_ours" in found:
        peers = f"  peer / ours {found['peer_over_ours']:.2f} (its on / off {found['peer_on_over_off']:.2f})"
    ratio, counted, rate = found["on_over_off"], found["flops_on_over_off"], found["tokens_per_second"]["on"]
    costs = f"on / off {ratio:.2f} (goal {found['goal']}, FLOPs {counted:.2f})"
    return f"{found['shape']:6} {costs}  {rate:.0f} tokens/s{peers}  ms a token {reading}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", default="small,mid")
    parser.add_argument("--sequences", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    refuse_dynamic_threads()
    keep_freed_memory()
    shapes = [measure(shape, options.sequences, options.rounds) for shape in options.shapes.split(",")]
    # Others may use the machine meanwhile: CPU seconds then swell through shared caches, for all alike.
    document = {"load_average": os.getloadavg()[0], "sequences": options.sequences, "shapes": shapes}
    Path(__file__).with_suffix(".json").write_text(json.dumps(document, indent=1) + "\n")
    print(json.dumps(document, indent=1) if options.json else "\n".join(told(found) for found in shapes))


if __name__ == "__main__":
    main()
