"""RETRO: language models that read the nearest neighbours of what they have just read (Borgeaud et al. 2021).

model = build_retro(retro_of(decoder_config), seed=0)
model.loss(ids_bt, targets_bt, neighbours_bukr)
retrofitted = retrofit(OwnDecoder(trained), retro_of(trained.config), seed=0)
"""

from hutch.retrieval.retro.configuration import RetroConfig, published_cross_layers, retro_of
from hutch.retrieval.retro.decoders import HookedDecoder, OwnDecoder
from hutch.retrieval.retro.incremental import RetroCache, new_retro_cache, read_on
from hutch.retrieval.retro.retro_flops import (
    retro_operations,
    retro_training_flops_per_token,
    retrofit_training_flops_per_token,
)
from hutch.retrieval.retro.retro_model import Retro, build_retro, retrofit
from hutch.retrieval.retro.trained_weights import load_trained, retro_config_of, save_trained

__all__ = [
    "HookedDecoder",
    "OwnDecoder",
    "Retro",
    "RetroCache",
    "RetroConfig",
    "build_retro",
    "load_trained",
    "new_retro_cache",
    "published_cross_layers",
    "read_on",
    "retro_config_of",
    "retro_of",
    "retro_operations",
    "retro_training_flops_per_token",
    "retrofit",
    "retrofit_training_flops_per_token",
    "save_trained",
]
