"""Reading on, token by token: each costs one token's work, as keys and values of a chunk's neighbours stay the same
until the next chunk ends.

Legend: b rows, t new tokens, d width, u chunks that they end, m place in a chunk, k neighbours, r tokens of one, h
heads, e key size, c the k·r tokens of a chunk's neighbours.

The last token of a chunk attends to the chunk's own neighbours (Borgeaud et al. 2021, §2.4). So a search must have
ended before that token is read, though its query may hold it.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor

from hutch.retrieval.retro.chunked_cross_attention import ChunkMemory, Encoded, chunked_cross_attention
from hutch.retrieval.retro.retro_model import Retro


@dataclass(frozen=True, kw_only=True)
class Readable:
    """What one layer may read of a chunk's neighbours."""

    memory: ChunkMemory
    bias_hmc: Tensor


@dataclass(kw_only=True)
class RetroCache:
    """What a RETRO model remembers of texts that are all equally long."""

    decoder: Any
    """The decoder's own cache."""
    length: int = 0
    """Tokens read."""
    activations: list[Tensor] = field(default_factory=list)
    """Those of the chunk that has begun, in the first layer of P, each [b, t, d]."""
    readable: dict[int, Readable] = field(default_factory=dict)
    """By layer, the neighbours of the last chunk that ended; none where it has none."""


@dataclass(kw_only=True)
class _Piece:
    """Tokens of one chunk, on their way through the layers."""

    place: int
    """Of the first of them in its chunk, from 0."""
    ends_chunk: bool
    neighbours_bukr: Tensor | None
    """Of that chunk alone."""
    encoded: Encoded | None = None


def new_retro_cache(model: Retro, rows: int, columns: int) -> RetroCache:
    """An empty cache for `rows` texts of up to `columns` tokens."""
    return RetroCache(decoder=model.decoder.new_cache(rows, columns))


def read_on(model: Retro, cache: RetroCache, ids_bt: Tensor, neighbours_bukr: Tensor | None = None) -> Tensor:
    """Read the next tokens of each text; what the last layer leaves of them, [b, t, d], as `Retro.hidden` of the whole
    texts would.

    `neighbours_bukr` are those of the u chunks that end among these tokens; None where they have none. Raises BadInput
    for neighbours of another shape or vocabulary.
    """
    chunk, t = model.config.chunk, ids_bt.shape[1]
    ended = (cache.length + t) // chunk - cache.length // chunk
    if neighbours_bukr is not None and ended:
        model.check_neighbours(neighbours_bukr, len(ids_bt), ended)
    hidden, start = [], 0
    for number in range(ended + 1):
        stop = min(t, start + chunk - cache.length % chunk)
        if start < stop:
            own = None if neighbours_bukr is None else neighbours_bukr[:, number : number + 1]
            hidden.append(_read_piece(model, cache, ids_bt[:, start:stop], own))
        start = stop
    return torch.cat(hidden, dim=1)


def _read_piece(model: Retro, cache: RetroCache, ids_bt: Tensor, neighbours_bukr: Tensor | None) -> Tensor:
    """Tokens of one chunk alone, perhaps its last."""
    place, t = cache.length % model.config.chunk, ids_bt.shape[1]
    ends_chunk = place + t == model.config.chunk
    piece = _Piece(place=place, ends_chunk=ends_chunk, neighbours_bukr=neighbours_bukr)
    layers = model.config.cross_layers
    updates = {layer: partial(_update, model, cache, piece, layer) for layer in layers}
    hidden_btd = model.decoder.hidden(ids_bt, updates, cache.decoder)
    cache.length += t
    if ends_chunk:
        cache.activations.clear()
    return hidden_btd


def _update(model: Retro, cache: RetroCache, piece: _Piece, layer: int, x_btd: Tensor) -> Tensor:
    """What a layer adds: its reading of the chunk before, and for a chunk's last token of the chunk itself."""
    if layer == model.config.cross_layers[0]:
        _condition(model, cache, piece, x_btd)
    cross = model.cross_of(layer)
    q_bthe = cross.queries(x_btd)
    before = q_bthe.shape[1] - piece.ends_chunk
    read_btd = [_read(q_bthe[:, :before], cache.readable.get(layer), piece.place + 1)]
    if piece.ends_chunk:
        cache.readable.pop(layer, None)
        if piece.encoded is not None:
            cache.readable[layer] = Readable(memory=cross.remember(piece.encoded), bias_hmc=cross.bias(piece.encoded))
        read_btd.append(_read(q_bthe[:, before:], cache.readable.get(layer), 0))
    return cross.output(torch.cat(read_btd, dim=1)).to(x_btd.dtype)


def _condition(model: Retro, cache: RetroCache, piece: _Piece, x_btd: Tensor) -> None:
    """Keep the activations of the chunk; at its end, encode its neighbours with them."""
    cache.activations.append(x_btd)
    given = piece.neighbours_bukr
    if piece.ends_chunk and given is not None and given.numel():
        piece.encoded = model.encode(given, torch.cat(cache.activations, dim=1)[:, None])


def _read(q_bthe: Tensor, readable: Readable | None, place: int) -> Tensor:
    """What tokens read from `place` on in the attending chunk, [b, t, h·e]."""
    if readable is None:
        return torch.zeros_like(q_bthe).flatten(2)
    bias_htc = readable.bias_hmc[:, place : place + q_bthe.shape[1]]
    return chunked_cross_attention(q_bthe[:, None], readable.memory, bias_htc)[:, 0]
