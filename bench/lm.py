"""Training steps of this trainer and of its peers: same shapes, same tokens, same precision policy, one run.

    python bench/lm.py [--sizes tiny,small] [--rounds 5] [--compile] [--json]

Peers: a GPT in plain PyTorch after nanoGPT's recipe (learned positions, LayerNorm, GELU, fused AdamW), eager and, with
--compile, compiled; and `transformers`' Llama where it is installed. All run in the precision that this machine
multiplies fastest in (bfloat16 under autocast, or float32), on one thread, interleaved, and are measured in CPU seconds
of the process, since wall time says more about what else the machine does. Prints for each size the median step of
each, the ratio peer / ours (above 1: ours is faster) and MFU against the measured matrix-product peak; writes
bench/lm.json.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hutch.lm import ModelConfig, TrainConfig, keep_freed_memory, learner_of, shape_of, train_step
from hutch.lm.precision import measured_precision, refuse_dynamic_threads
from hutch.scaling import training_flops_per_token

SIZES = {
    "micro": (2, 32, 2, 2048, 128, 8),
    "tiny": (2, 64, 4, 4096, 256, 16),
    "small": (6, 256, 4, 4096, 256, 16),
    "mid": (8, 512, 8, 8192, 256, 8),
    "gopher-44m": (8, 512, 16, 32_000, 1024, 2),
}
"""layers, width, heads, vocabulary, context, sequences."""

Step = Callable[[tuple[np.ndarray, np.ndarray], int], float]


def config_of(size: str, precision: str) -> TrainConfig:
    layers, width, heads, vocabulary, context, sequences = SIZES[size]
    model = ModelConfig(
        layers=layers,
        width=width,
        heads=heads,
        key_size=width // heads,
        feed_forward=4 * width,
        vocabulary=vocabulary,
        context=context,
    )
    tokens = 1000 * sequences * context
    return TrainConfig(
        model=model, tokens=tokens, sequences=sequences, peak_rate=3e-3, embedding_rate=60.0, precision=precision
    )


class PlainBlock(nn.Module):
    """A pre-norm GPT block."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_1, self.norm_2 = nn.LayerNorm(width, bias=False), nn.LayerNorm(width, bias=False)
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.up, self.down = nn.Linear(width, 4 * width, bias=False), nn.Linear(4 * width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        b, t, d = x.shape
        q, k, v = (y.view(b, t, self.heads, -1).transpose(1, 2) for y in self.qkv(self.norm_1(x)).split(d, dim=2))
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(attended.transpose(1, 2).reshape(b, t, d))
        return x + self.down(F.gelu(self.up(self.norm_2(x))))


class PlainGPT(nn.Module):
    """A GPT whose forward pass is its loss."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.tokens = nn.Embedding(config.vocabulary, config.width)
        self.places = nn.Embedding(config.context, config.width)
        self.blocks = nn.ModuleList(PlainBlock(config.width, config.heads) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width, bias=False)
        nn.init.normal_(self.tokens.weight, std=0.02)

    def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        x = self.tokens(inputs) + self.places(torch.arange(inputs.shape[1]))
        for block in self.blocks:
            x = block(x)
        logits = F.linear(self.norm(x), self.tokens.weight)
        return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten())


def ours(config: TrainConfig, *, compiled: bool) -> Step:
    learner = learner_of(replace(config, compiled=compiled))
    return lambda batch, step: train_step(learner, batch, config, step)


def plain(config: TrainConfig, *, compiled: bool) -> Step:
    model = PlainGPT(config.model)
    return peer_step(torch.compile(model, dynamic=False) if compiled else model, model, config)


def llama(config: TrainConfig) -> Step:
    from transformers import LlamaConfig, LlamaForCausalLM

    shape = config.model
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=shape.vocabulary,
            hidden_size=shape.width,
            # Gated, so 8/3 d for the same parameters as 4 d ungated.
            intermediate_size=8 * shape.width // 3,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            max_position_embeddings=shape.context,
            tie_word_embeddings=True,
        )
    )

    def loss_of(inputs: Tensor, targets: Tensor) -> Tensor:
        logits = model(input_ids=inputs, use_cache=False).logits
        return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten())

    return peer_step(loss_of, model, config)


def peer_step(loss_of: Callable[[Tensor, Tensor], Tensor], model: nn.Module, config: TrainConfig) -> Step:
    """The usual loop: autocast, backward, clip, fused AdamW."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), fused=True)
    half = config.precision == "bfloat16"

    def step(batch: tuple[np.ndarray, np.ndarray], _: int) -> float:
        inputs, targets = (torch.from_numpy(part) for part in batch)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = loss_of(inputs, targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    return step


def contestants(config: TrainConfig, compiled: bool) -> dict[str, Callable[[], Step]]:
    """By name; the first is the reference."""
    found: dict[str, Callable[[], Step]] = {
        "ours": lambda: ours(config, compiled=False),
        "plain": lambda: plain(config, compiled=False),
    }
    if compiled:
        found["ours compiled"] = lambda: ours(config, compiled=True)
        found["plain compiled"] = lambda: plain(config, compiled=True)
    try:
        import transformers  # noqa: F401

        found["llama"] = lambda: llama(config)
    except ImportError:
        print("transformers is not installed: no Llama", file=sys.stderr)
    return found


def measure(size: str, precision: str, peak: float, rounds: int, compiled: bool) -> dict[str, Any]:
    """Median CPU seconds of a step of each, interleaved; set-up seconds apart."""
    config = config_of(size, precision)
    random = np.random.default_rng(0)
    shape = (2, config.sequences, config.model.context)
    batches = [tuple(random.integers(config.model.vocabulary, size=shape)) for _ in range(4)]
    steps, setup = {}, {}
    for name, build in contestants(config, compiled).items():
        torch.manual_seed(0)
        began = time.perf_counter()
        steps[name] = build()
        for index in range(3):
            steps[name](batches[index], index)
        setup[name] = time.perf_counter() - began
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for index in range(rounds):
        for name, step in steps.items():
            began = time.process_time()
            step(batches[index % 4], 3 + index)
            taken[name].append(time.process_time() - began)
    seconds = {name: statistics.median(found) for name, found in taken.items()}
    flops = training_flops_per_token(shape_of(config.model), "executed", "rotary") * config.batch_tokens
    return {
        "size": size,
        "precision": precision,
        "seconds": seconds,
        "setup_seconds": setup,
        "ratio": {name: value / seconds["ours"] for name, value in seconds.items()},
        "tokens_per_second": {name: config.batch_tokens / value for name, value in seconds.items()},
        "mfu": {name: flops / value / peak for name, value in seconds.items() if name.startswith("ours")},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="micro,tiny,small")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    refuse_dynamic_threads()
    keep_freed_memory()
    precision, peak = measured_precision()
    names = options.sizes.split(",")
    found = [measure(size, precision, peak, options.rounds, options.compile) for size in names]
    document = {"precision": precision, "peak_gflops": peak / 1e9, "sizes": found}
    Path(__file__).with_suffix(".json").write_text(json.dumps(document, indent=1) + "\n")
    if options.json:
        print(json.dumps(document, indent=1))
        return
    print(f"{precision}, peak {peak / 1e9:.0f} GFLOP/s for one thread")
    for one in found:
        print(
            f"{one['size']:11} MFU {one['mfu']['ours']:.0%}  "
            + "  ".join(f"{n} {r:.2f}" for n, r in one["ratio"].items())
        )


if __name__ == "__main__":
    main()
