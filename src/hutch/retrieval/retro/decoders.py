"""What is retrofitted: a decoder that lets others add to its residual stream between attention and feed-forward.

Legend: b batch, t time, d width, v vocabulary.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from inspect import signature
from typing import Any, Protocol

from torch import Tensor, nn

from hutch.lm.exchange.imported_reading import CACHES
from hutch.lm.kv_cache import KeyValueCache
from hutch.lm.model import LOGIT_SCALE, Block, ModelConfig, Transformer
from hutch.runs.errors import BadInput

Updates = Mapping[int, Callable[[Tensor], Tensor]]
"""By layer, from 1: the residual stream behind its self-attention, [b, t, d], to what is added to it."""


class Decoder(Protocol):
    """A causal language model; `config` tells its sizes."""

    config: ModelConfig

    def embed(self, ids: Tensor) -> Tensor:
        """Token ids [...] to embeddings [..., d]."""
        ...

    def hidden(self, ids_bt: Tensor, updates: Updates, cache: Any = None) -> Tensor:
        """What `read_out` reads, [b, t, d]. With a cache of `new_cache`, the tokens go on from those that it holds."""
        ...

    def read_out(self, hidden_btd: Tensor) -> tuple[Tensor, Tensor]:
        """What is multiplied to get logits: [..., d] and [v, d]."""
        ...

    def new_cache(self, rows: int, columns: int) -> Any:
        """An empty cache for `rows` texts of up to `columns` tokens, all equally long."""
        ...


class OwnDecoder(nn.Module):
    """One of Hutch's transformers."""

    def __init__(self, model: Transformer) -> None:
        super().__init__()
        self.model, self.config = model, model.config

    def embed(self, ids: Tensor) -> Tensor:
        return self.model.embedding(ids)

    def hidden(self, ids_bt: Tensor, updates: Updates, cache: KeyValueCache | None = None) -> Tensor:
        x_btd = self._updated(ids_bt, updates, cache) if updates else self.model.hidden(ids_bt, cache)
        if cache is not None:
            cache.lengths = [length + ids_bt.shape[1] for length in cache.lengths]
        return x_btd

    def read_out(self, hidden_btd: Tensor) -> tuple[Tensor, Tensor]:
        return self.model.norm(hidden_btd) * (LOGIT_SCALE / self.config.width), self.model.embedding.weight

    def new_cache(self, rows: int, columns: int) -> KeyValueCache:
        return self.model.new_cache(rows, columns)

    def _updated(self, ids_bt: Tensor, updates: Updates, cache: KeyValueCache | None) -> Tensor:
        x_btd = self.model.embedding(ids_bt).to(self.model.compute_dtype)
        memories = [None] * self.config.layers if cache is None else cache.memories(ids_bt.shape[1])
        for layer, (block, memory) in enumerate(zip(self.model.blocks, memories, strict=True), 1):
            assert isinstance(block, Block)
            x_btd = block.attend(x_btd, memory)
            if layer in updates:
                x_btd = x_btd + updates[layer](x_btd)
            x_btd = block.feed(x_btd)
        return x_btd


ATTENTIONS = {
    "llama": ("layers", "self_attn"),
    "mistral": ("layers", "self_attn"),
    "qwen2": ("layers", "self_attn"),
    "gpt2": ("h", "attn"),
    "gpt_neox": ("layers", "attention"),
}
"""What transformers' classes call their layers, and a layer's self-attention. Of all of them, what the attention gives
is added to the layer's input as it is."""


class HookedDecoder(nn.Module):
    """A causal model of transformers. What is added to the residual stream is added to what the attention gives,
    by hooks that are there only while it runs with updates: the model itself stays as it is.

    Layers of GPT-NeoX with a parallel residual feed their input to attention and feed-forward alike. There an update
    passes its own layer's feed-forward by, and the next layer is the first to see it.
    """

    def __init__(self, model: Any) -> None:
        """Raises BadInput for a class whose layers are not known."""
        super().__init__()
        kind = model.config.model_type
        if kind not in ATTENTIONS:
            raise BadInput(f"a model of type {kind} cannot be retrofitted; these can: {', '.join(ATTENTIONS)}")
        layers, attention = ATTENTIONS[kind]
        self.model, self.config = model.eval(), described(model.config)
        self._layers = [(layer, getattr(layer, attention)) for layer in getattr(model.base_model, layers)]
        names = signature(model.base_model.forward).parameters
        self._cache_name = next(name for name in CACHES if name in names)

    def train(self, mode: bool = True) -> "HookedDecoder":
        """Stays in evaluation mode: dropout would let the frozen model differ from itself."""
        return super().train(False)

    def embed(self, ids: Tensor) -> Tensor:
        return self.model.get_input_embeddings()(ids)

    def hidden(self, ids_bt: Tensor, updates: Updates, cache: Any = None) -> Tensor:
        kept = {} if cache is None else {self._cache_name: cache}
        with self._updated(updates):
            return self.model.base_model(input_ids=ids_bt, use_cache=cache is not None, **kept)[0]

    def read_out(self, hidden_btd: Tensor) -> tuple[Tensor, Tensor]:
        return hidden_btd, self.model.get_output_embeddings().weight

    def new_cache(self, rows: int, columns: int) -> Any:
        from transformers import DynamicCache

        return DynamicCache(config=self.model.config)

    @contextmanager
    def _updated(self, updates: Updates) -> Iterator[None]:
        hooks = [hook for number, update in updates.items() for hook in _hooks(*self._layers[number - 1], update)]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()


def _hooks(layer: nn.Module, attention: nn.Module, update: Callable[[Tensor], Tensor]) -> list[Any]:
    """Keep what enters the layer; add to what its attention gives."""
    entered: list[Tensor] = []

    def keep(_: nn.Module, positional: tuple[Any, ...], named: dict[str, Any]) -> None:
        entered[:] = [positional[0] if positional else named["hidden_states"]]

    def add(_: nn.Module, __: Any, output: tuple[Any, ...]) -> tuple[Any, ...]:
        return output[0] + update(entered.pop() + output[0]), *output[1:]

    return [layer.register_forward_pre_hook(keep, with_kwargs=True), attention.register_forward_hook(add)]


def described(config: Any) -> ModelConfig:
    """The sizes of a model of transformers in our words. Its positions, norms and gates are its own: FLOPs counted
    from these sizes are those of our transformer."""
    heads = config.num_attention_heads
    return ModelConfig(
        layers=config.num_hidden_layers,
        width=config.hidden_size,
        heads=heads,
        key_size=getattr(config, "head_dim", None) or config.hidden_size // heads,
        feed_forward=getattr(config, "intermediate_size", None) or 4 * config.hidden_size,
        vocabulary=config.vocab_size,
        context=config.max_position_embeddings,
    )
