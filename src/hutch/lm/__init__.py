"""Language models: the Gopher family, training with exact resume, likelihoods, samples.

model = build_model(model_of_width(64, vocabulary=2048, context=128), seed=0)
model, result = train(TrainConfig(model=model.config, ...), shard.tokens, folder)
"""

from hutch.lm.allocator import keep_freed_memory
from hutch.lm.chat import Chat
from hutch.lm.checkpoints import load_model, save_weights
from hutch.lm.family import family_members, model_of_shape, model_of_width, shape_of
from hutch.lm.language_model import LanguageModel, Likelihood, Sampling
from hutch.lm.likelihood import document_nats
from hutch.lm.model import ModelConfig, Transformer, build_model
from hutch.lm.own_model import OwnModel
from hutch.lm.precision import gemm_flops_per_second, measured_precision, refuse_dynamic_threads
from hutch.lm.sampling import continue_prompts, sample_tokens
from hutch.lm.train_config import TrainConfig
from hutch.lm.training import Diverged, Learner, Progress, TrainResult, learner_of, train, train_step

__all__ = [
    "Chat",
    "Diverged",
    "LanguageModel",
    "Learner",
    "Likelihood",
    "ModelConfig",
    "OwnModel",
    "Progress",
    "Sampling",
    "TrainConfig",
    "TrainResult",
    "Transformer",
    "build_model",
    "continue_prompts",
    "document_nats",
    "family_members",
    "gemm_flops_per_second",
    "keep_freed_memory",
    "learner_of",
    "load_model",
    "measured_precision",
    "model_of_shape",
    "model_of_width",
    "refuse_dynamic_threads",
    "sample_tokens",
    "save_weights",
    "shape_of",
    "train",
    "train_step",
]
