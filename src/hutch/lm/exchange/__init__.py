"""Other people's formats: Hutch's models written for transformers, and theirs read as language models.

export_model("demo/runs/ID", "my-model")        # AutoModelForCausalLM.from_pretrained("my-model")
model = load_language_model("my-model")         # or a .gguf file, a run of Hutch, "smollm2"
model.generate(["Once upon a time"], Sampling(tokens=50))
tokenizer_of(model)                             # for `build_corpus`, to train the model further

transformers itself, the extra `hf`, is imported when such a model is opened.
"""

from hutch.lm.exchange.export import export_model
from hutch.lm.exchange.imported import ImportedModel
from hutch.lm.exchange.llama import Architecture, to_arcee, to_llama
from hutch.lm.exchange.loading import load_language_model, smollm2_path
from hutch.lm.exchange.model_tokenizer import tokenizer_of

__all__ = [
    "Architecture",
    "ImportedModel",
    "export_model",
    "load_language_model",
    "smollm2_path",
    "to_arcee",
    "to_llama",
    "tokenizer_of",
]
