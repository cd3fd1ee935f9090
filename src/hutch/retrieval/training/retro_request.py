"""What somebody asks for who wants a model that retrieves: one from scratch, or a trained one retrofitted."""

import dataclasses
from dataclasses import dataclass

from hutch.lm.model import ModelConfig
from hutch.lm.train_config import Precision, TrainConfig
from hutch.lm.train_request import TrainRequest
from hutch.retrieval.retro.configuration import RetroConfig, retro_of
from hutch.runs.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class Retrieval:
    """What retrieval adds to a decoder."""

    neighbours: int = 2
    """k in training."""
    encoder_width: int | None = None
    """d'; None: half the decoder's width, at most 896."""
    cross_layers: tuple[int, ...] | None = None
    """P; None: by the rule of `retro_of`."""
    shared_embedding: bool = False
    """Whether neighbours are embedded by the decoder's embedding."""
    chunk: int = 64
    value: int = 128
    """Tokens of a neighbour and its continuation; chunk and value are the database's."""

    def config(self, decoder: ModelConfig) -> RetroConfig:
        """Around a decoder."""
        found = retro_of(decoder, encoder_width=self.encoder_width, cross_layers=self.cross_layers)
        return dataclasses.replace(
            found, chunk=self.chunk, neighbour_tokens=self.value, shared_embedding=self.shared_embedding
        )


@dataclass(frozen=True, kw_only=True)
class RetrofitRequest:
    """What to train around a decoder that stays as it is."""

    model: str
    """What `hutch.lm.exchange.load_language_model` opens: a run of Hutch, a folder of transformers, a .gguf file,
    "smollm2"."""
    tokens: int
    """Training tokens. The paper's are 3 % of the decoder's own (§4.4)."""
    context: int = 512
    """Tokens of a sequence, at most what the decoder sees."""
    sequences: int = 8
    """Sequences in a batch."""
    peak_rate: float = 0.006
    """Learning rate at width 64; the width rule carries it to others."""
    embedding_rate: float = 60.0
    """Of the encoder's embedding, where it has one of its own, as a multiple."""
    micro_sequences: int | None = None
    precision: Precision | None = "float32"
    """Of the added layers and of one of Hutch's decoders; None: what the device multiplies fastest in."""
    seed: int = 0

    def train_config(self, decoder: ModelConfig, *, precision: Precision, corpus: str) -> TrainConfig:
        """The loop's part of the configuration."""
        if self.context > decoder.context:
            raise BadInput(f"the context is {self.context} and the model sees {decoder.context} tokens: ask for fewer")
        return TrainConfig(
            model=dataclasses.replace(decoder, context=self.context),
            tokens=self.tokens,
            sequences=self.sequences,
            peak_rate=self.peak_rate,
            embedding_rate=self.embedding_rate,
            micro_sequences=self.micro_sequences,
            precision=precision,
            seed=self.seed,
            corpus=corpus,
        )


RetroRequest = TrainRequest | RetrofitRequest
"""From scratch, or around a trained decoder."""
