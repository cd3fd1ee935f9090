"""Everything that the weights of a RETRO run depend on, and what it costs."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from hutch.lm.model import ModelConfig
from hutch.lm.train_config import TrainConfig
from hutch.retrieval.retro.configuration import RetroConfig, read_config
from hutch.retrieval.retro.retro_flops import retro_training_flops_per_token, retrofit_training_flops_per_token
from hutch.runs.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class RetroTrainConfig:
    """A language model's run and what retrieval adds to it; its hash is the run's name."""

    train: TrainConfig
    """Of the decoder: batches, rates, seed. Its model is the decoder at the context that is trained."""
    retro: RetroConfig
    """The model. Its decoder may see more than the context that is trained."""
    database: str
    """Digest of what is retrieved from (`ChunkDatabase.digest`)."""
    retriever: str
    """How it was searched."""
    neighbours: int = 2
    """k in training; the paper's is 2 (§2.4). Another may be used afterwards."""
    decoder: str = ""
    """Fingerprint of the trained decoder that is kept frozen (RETROfit, §4.4); "" trains all weights."""

    def __post_init__(self) -> None:
        if self.neighbours < 1:
            raise BadInput(f"neighbours is {self.neighbours}; at least 1 is needed")
        context, chunk = self.train.model.context, self.retro.chunk
        if context % chunk or context > self.retro.decoder.context:
            raise BadInput(
                f"the context is {context}; it must be a multiple of the chunk of {chunk} tokens, at most the "
                f"decoder's {self.retro.decoder.context}"
            )

    @property
    def flops_per_token(self) -> int:
        """Training FLOPs for a token at the context that is trained, encoder and cross-attention counted."""
        trained = dataclasses.replace(self.retro, decoder=self.train.model)
        count = retrofit_training_flops_per_token if self.decoder else retro_training_flops_per_token
        return count(trained, self.neighbours)


def read_train_config(fields: dict[str, Any]) -> RetroTrainConfig:
    """The configuration that `hutch.runs.plain` made JSON values of."""
    train = fields["train"]
    model, betas = ModelConfig(**train["model"]), tuple(train["betas"])
    return RetroTrainConfig(
        **fields
        | {
            "train": TrainConfig(**train | {"model": model, "betas": betas}),
            "retro": read_config(json.dumps(fields["retro"])),
        }
    )
