"""The tokenizer of an imported model, for corpora that the model is trained further on."""

from hutch.lm.exchange.imported import ImportedModel
from hutch.lm.exchange.opening import embeddings
from hutch.runs.errors import BadInput
from hutch.text.adopted_tokenizer import AdoptedTokenizer


def tokenizer_of(model: ImportedModel) -> AdoptedTokenizer:
    """The ids of `model`'s own tokenizer; as many as its embedding has rows, some of which no text may lead to.

    A document ends with the token that by the tokenizer, else by the model, ends a text. In a model for conversations
    that may be the end of a message (<|im_end|> in SmolLM2-Instruct), not what ended the documents that it was first
    trained on: for another, make an `AdoptedTokenizer` with its id.

    Raises BadInput where nothing or more than one token ends a text, and for a tokenizer that is no fast one or does
    not give texts back byte for byte, see `AdoptedTokenizer`.
    """
    engine = getattr(model.tokenizer, "backend_tokenizer", None)
    if not hasattr(engine, "to_str"):
        raise BadInput(f"{model.name} has no fast tokenizer: only those of the library tokenizers can be adopted")
    try:
        return AdoptedTokenizer(engine.to_str(), end_of(model), embeddings(model.model))
    except BadInput as error:
        raise BadInput(f"{model.name}: {error}") from error


def end_of(model: ImportedModel) -> int:
    """The id that ends a text."""
    told = model.tokenizer.eos_token_id
    ends = model.ends if told is None else {told}
    if len(ends) != 1:
        found = f"tokens {sorted(ends)} end" if ends else "no token ends"
        raise BadInput(f"{found} a text; one is needed to end a document")
    return next(iter(ends))
