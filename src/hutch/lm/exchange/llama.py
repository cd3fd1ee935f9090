"""Our rotary transformer in the words of Hugging Face's Llama, and of its sibling without a gate, Arcee.

Both are RMSNorm, rotary attention and a feed-forward layer; what differs folds away exactly:

- They turn dimension i of a head with dimension i + e/2, we 2i with 2i + 1: the rows of queries and keys change places.
- Llama's feed-forward is down(act(gate(x)) · up(x)). Our `up` becomes its gate, and its up is no weight and a bias
  of 1. Every program that knows transformers' Llama computes this, for half as many feed-forward weights again.
- Arcee's is down(act(up(x))), ours, weight for weight: as many parameters as ours. It came with transformers 4.53.
- The logits' factor LOGIT_SCALE / d goes into the gain of the last norm.
- transformers wants a width that the heads divide. Where they do not (two rows of Chinchilla's Table A9), heads are
  added that read and write nothing.
"""

from collections.abc import Callable
from typing import Any, Literal, get_args

import torch
from torch import Tensor
from torch.nn.functional import pad

from hutch.lm.model import LOGIT_SCALE, Block, Transformer
from hutch.lm.norms import EPSILON
from hutch.runs.errors import BadInput

Architecture = Literal["llama", "arcee"]
"""The classes that a model can be written as."""

ROTARY_BASE = 10_000.0
"""The base of `hutch.lm.positions.rotary_table`."""

Converted = tuple[dict[str, Any], dict[str, Tensor]]


def to_llama(model: Transformer) -> Converted:
    """`config.json` and the tensors of the `LlamaForCausalLM` whose logits are the model's."""
    return _convert(model, "llama", _gated)


def to_arcee(model: Transformer) -> Converted:
    """`config.json` and the tensors of the `ArceeForCausalLM` whose logits are the model's."""
    return _convert(model, "arcee", _plain)


def to_architecture(model: Transformer, architecture: str) -> Converted:
    """One of the two by its name. Raises BadInput for another name and for relative positions."""
    if architecture not in get_args(Architecture):
        raise BadInput(f"architecture must be one of {', '.join(get_args(Architecture))}, not {architecture!r}")
    return to_llama(model) if architecture == "llama" else to_arcee(model)


def _convert(model: Transformer, name: str, feed_forward: Callable[[Block], dict[str, Tensor]]) -> Converted:
    if model.config.positions != "rotary":
        raise BadInput(
            f"a model with {model.config.positions} positions cannot be exported: no class of transformers has them; "
            "train one with rotary positions"
        )
    heads = _heads_that_divide(model)
    tensors = {
        "model.embed_tokens.weight": model.embedding.weight.detach().clone(),
        "model.norm.weight": model.norm.gain.detach() * (LOGIT_SCALE / model.config.width),
    }
    for number, block in enumerate(model.blocks):
        assert isinstance(block, Block)
        parts = _attention(block, heads * model.config.key_size) | feed_forward(block) | _norms(block)
        tensors |= {f"model.layers.{number}.{part}": tensor for part, tensor in parts.items()}
    return _config(model, name, heads, mlp_bias="model.layers.0.mlp.down_proj.bias" in tensors), tensors


def _config(model: Transformer, name: str, heads: int, mlp_bias: bool) -> dict[str, Any]:
    config = model.config
    return {
        "architectures": [f"{name.capitalize()}ForCausalLM"],
        "model_type": name,
        "vocab_size": config.vocabulary,
        "hidden_size": config.width,
        "intermediate_size": config.feed_forward,
        "num_hidden_layers": config.layers,
        "num_attention_heads": heads,
        "num_key_value_heads": heads,
        "head_dim": config.key_size,
        "hidden_act": "gelu_pytorch_tanh",
        "max_position_embeddings": config.context,
        "rms_norm_eps": EPSILON,
        "rope_theta": ROTARY_BASE,
        "attention_bias": False,
        "mlp_bias": mlp_bias,
        "tie_word_embeddings": True,
        "dtype": "float32",
    }


def _heads_that_divide(model: Transformer) -> int:
    """The fewest heads, at least the model's own, that divide its width."""
    config = model.config
    if config.heads > config.width:
        raise BadInput(f"a model of width {config.width} with {config.heads} heads cannot be exported: heads divide it")
    return next(heads for heads in range(config.heads, config.width + 1) if config.width % heads == 0)


def _attention(block: Block, attention_width: int) -> dict[str, Tensor]:
    """Queries, keys and values apart; rows (and columns of the output) of added heads are zero."""
    qkv, output = block.attention.qkv.weight.detach(), block.attention.output.weight.detach()
    added = attention_width - output.shape[1]
    q, k, v = qkv.chunk(3)
    parts = {"q": _in_halves(q, block.attention.heads), "k": _in_halves(k, block.attention.heads), "v": v}
    rows = {f"self_attn.{name}_proj.weight": pad(part, (0, 0, 0, added)) for name, part in parts.items()}
    return rows | {"self_attn.o_proj.weight": pad(output, (0, added))}


def _in_halves(rows: Tensor, heads: int) -> Tensor:
    """Each head's even rows before its odd ones."""
    return rows.unflatten(0, (heads, -1, 2)).transpose(1, 2).flatten(0, 2)


def _gated(block: Block) -> dict[str, Tensor]:
    up, down = block.up.weight.detach(), block.down.weight.detach()
    return {
        "mlp.gate_proj.weight": up.clone(),
        "mlp.gate_proj.bias": up.new_zeros(len(up)),
        "mlp.up_proj.weight": torch.zeros_like(up),
        "mlp.up_proj.bias": up.new_ones(len(up)),
        "mlp.down_proj.weight": down.clone(),
        "mlp.down_proj.bias": down.new_zeros(len(down)),
    }


def _plain(block: Block) -> dict[str, Tensor]:
    return {"mlp.up_proj.weight": block.up.weight.detach(), "mlp.down_proj.weight": block.down.weight.detach()}


def _norms(block: Block) -> dict[str, Tensor]:
    return {
        "input_layernorm.weight": block.attention_norm.gain.detach(),
        "post_attention_layernorm.weight": block.feed_norm.gain.detach(),
    }
