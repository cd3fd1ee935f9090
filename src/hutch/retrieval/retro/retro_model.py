"""RETRO: a decoder that reads, in some of its layers, what an encoder made of each chunk's nearest neighbours.

Legend: b batch, t time, d width, u chunk, m tokens of a chunk, k neighbours, r tokens of one, v vocabulary.

Borgeaud et al. 2021, §2. Without neighbours it is the decoder, bit for bit.
"""

import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hutch.lm.cross_entropy import chunked_cross_entropy, rows_at_once
from hutch.lm.model import EMBEDDING_STD, build_model
from hutch.retrieval.retro.chunked_cross_attention import ChunkedCrossAttention, Encoded
from hutch.retrieval.retro.configuration import RetroConfig
from hutch.retrieval.retro.decoders import HookedDecoder, OwnDecoder, Updates
from hutch.retrieval.retro.neighbour_encoder import NeighbourEncoder
from hutch.runs.errors import BadInput
from hutch.runs.seeds import seed_of


class Retro(nn.Module):
    """Token ids [b, t], and of each whole chunk the tokens of k neighbours, to logits [b, t, v].

    Neighbours are int64 [b, l, k, r] with −1 for what is missing: a whole neighbour, or the end of one. l is at least
    the number of whole chunks, t // m; those of later chunks are not read. k may differ from call to call, and r be
    shorter than the configuration's. None, or k = 0: the decoder without retrieval.
    """

    def __init__(self, config: RetroConfig, decoder: OwnDecoder | HookedDecoder) -> None:
        """Raises BadInput where the decoder is not the configuration's."""
        super().__init__()
        if decoder.config != config.decoder:
            raise BadInput(f"the decoder is another one than the configuration's: {decoder.config}, {config.decoder}")
        self.config, self.decoder = config, decoder
        self.encoder = NeighbourEncoder(config)
        self.cross = nn.ModuleDict({str(layer): ChunkedCrossAttention(config) for layer in config.cross_layers})

    def forward(self, ids_bt: Tensor, neighbours_bukr: Tensor | None = None) -> Tensor:
        return self.logits(self.hidden(ids_bt, neighbours_bukr))

    def hidden(self, ids_bt: Tensor, neighbours_bukr: Tensor | None = None) -> Tensor:
        """What the last layer leaves, [b, t, d]. Raises BadInput for neighbours of another shape or vocabulary."""
        whole = ids_bt.shape[1] // self.config.chunk
        if neighbours_bukr is None or whole == 0:
            return self.decoder.hidden(ids_bt, {})
        self.check_neighbours(neighbours_bukr, len(ids_bt), whole)
        return self.decoder.hidden(ids_bt, self._updates(neighbours_bukr[:, :whole]))

    def logits(self, hidden_btd: Tensor) -> Tensor:
        """The logits of what comes after each of `hidden_btd`, [..., v]."""
        read_btd, weight_vd = self.decoder.read_out(hidden_btd)
        return F.linear(read_btd, weight_vd.to(read_btd.dtype))

    def loss(
        self, ids_bt: Tensor, targets_bt: Tensor, neighbours_bukr: Tensor | None = None, reduction: str = "mean"
    ) -> Tensor:
        """Cross-entropy in nats per token, in float32; "none" gives a flat [b·t] vector. Large logits are never held
        whole (`hutch.lm.cross_entropy`)."""
        hidden_btd, targets_n = self.hidden(ids_bt, neighbours_bukr), targets_bt.flatten()
        if reduction != "mean":
            return F.cross_entropy(self.logits(hidden_btd).flatten(0, 1).float(), targets_n, reduction=reduction)
        read_btd, weight_vd = self.decoder.read_out(hidden_btd)
        rows = rows_at_once(len(weight_vd), weight_vd.device.type)
        return chunked_cross_entropy(read_btd.flatten(0, 1), weight_vd, targets_n, rows)

    def encode(self, neighbours_bukr: Tensor, chunk_bumd: Tensor) -> Encoded:
        """E of the neighbours of chunks with these activations, which the first layer of P leaves behind its
        self-attention."""
        return self.encoder(neighbours_bukr, chunk_bumd, self.decoder.embed)

    def check_neighbours(self, neighbours_bukr: Tensor, rows: int, chunks: int) -> None:
        """Raises BadInput where these are no neighbours of `chunks` chunks of `rows` texts."""
        config, shape = self.config, tuple(neighbours_bukr.shape)
        if neighbours_bukr.ndim != 4 or shape[0] != rows or shape[1] < chunks or shape[3] > config.neighbour_tokens:
            raise BadInput(
                f"neighbours have the shape {shape}; [{rows}, {chunks} or more, k, at most {config.neighbour_tokens}] "
                "is needed: texts, chunks, neighbours, tokens"
            )
        if neighbours_bukr.dtype != torch.int64:
            raise BadInput(f"neighbours are {neighbours_bukr.dtype}; token ids in int64 are needed")
        most = config.decoder.vocabulary
        if neighbours_bukr.numel() and not -1 <= neighbours_bukr.min() <= neighbours_bukr.max() < most:
            raise BadInput(
                f"neighbours hold tokens {neighbours_bukr.min()} to {neighbours_bukr.max()}; the vocabulary is 0 to "
                f"{most - 1}, and -1 is a token that is missing"
            )

    def cross_of(self, layer: int) -> ChunkedCrossAttention:
        """The cross-attention of one of the layers of P."""
        cross = self.cross[str(layer)]
        assert isinstance(cross, ChunkedCrossAttention)
        return cross

    def width_of(self, parameter_name: str) -> int:
        """The width of what a matrix reads, d or the encoder's d': that of the optimizer's rule."""
        config = self.config
        part, _, rest = parameter_name.partition(".")
        crosses = rest.endswith("key_value.weight") or rest == "project.weight"
        in_decoder = (part != "encoder") != crosses
        return config.decoder.width if in_decoder else config.encoder_width

    def parameter_count(self) -> int:
        """All parameters, tied ones once."""
        return sum(p.numel() for p in self.parameters())

    def trainable_state(self) -> dict[str, Tensor]:
        """The weights that training changes, by name: all, or those that a retrofit added."""
        return {name: p.detach() for name, p in self.named_parameters() if p.requires_grad}

    def _updates(self, neighbours_bukr: Tensor) -> Updates:
        """What each layer of P adds. The first that runs encodes the neighbours for all."""
        if neighbours_bukr.numel() == 0:
            return {}
        encoded: list[Encoded] = []

        def update(cross: ChunkedCrossAttention, x_btd: Tensor) -> Tensor:
            if not encoded:
                encoded.append(self.encode(neighbours_bukr, self._chunks(x_btd)))
            return cross(x_btd, encoded[0])

        return {layer: partial(update, self.cross_of(layer)) for layer in self.config.cross_layers}

    def _chunks(self, x_btd: Tensor) -> Tensor:
        """[b, u, m, d] of the whole chunks."""
        chunk = self.config.chunk
        whole = x_btd.shape[1] // chunk
        return x_btd[:, : whole * chunk].unflatten(1, (whole, chunk))


def initialise_added(model: Retro, seed: int) -> None:
    """Fill encoder and cross-attention from `seed` alone, by the rule of `hutch.lm.model.initialise`: embeddings
    N(0, EMBEDDING_STD²), matrices N(0, 1/fan-in), those that write to a residual stream divided by the root of how
    many do in a decoder or encoder of that depth."""
    config = model.config
    generator = torch.Generator().manual_seed(seed)
    writers = {
        "cross": 2 * config.decoder.layers,
        "encoder": 2 * config.encoder_layers + len(config.encoder_cross_layers),
    }
    with torch.no_grad():
        for name, weight in model.named_parameters():
            part = name.partition(".")[0]
            if part not in writers or weight.ndim != 2:
                continue
            writes = name.endswith(("output.weight", "down.weight"))
            std = 1 / math.sqrt(weight.shape[1]) / (math.sqrt(writers[part]) if writes else 1)
            weight.normal_(std=EMBEDDING_STD if "embedding" in name else std, generator=generator)


def build_retro(config: RetroConfig, seed: int) -> Retro:
    """A freshly initialised model on the CPU in float32. Its decoder is `build_model(config.decoder, seed)`, the one to
    compare it with."""
    model = Retro(config, OwnDecoder(build_model(config.decoder, seed)))
    initialise_added(model, seed_of(seed, "retro"))
    return model


def retrofit(decoder: OwnDecoder | HookedDecoder, config: RetroConfig, seed: int) -> Retro:
    """Encoder and cross-attention around a trained decoder, which is frozen (§4.4, RETROfit).

    Cross-attention begins by adding nothing, so the model begins as the decoder. Raises BadInput where the decoder is
    not the configuration's."""
    model = Retro(config, decoder)
    for parameter in decoder.parameters():
        parameter.requires_grad_(False)
    initialise_added(model, seed_of(seed, "retro"))
    with torch.no_grad():
        for layer in config.cross_layers:
            model.cross_of(layer).output.weight.zero_()
    return model
