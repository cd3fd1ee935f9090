"""A corpus's tokenizer as the `tokenizer.json` that the library `tokenizers`, and with it transformers, reads."""

from typing import Any

from hutch.text.adopted_tokenizer import AdoptedTokenizer
from hutch.text.tokenizer import END_OF_DOCUMENT, Tokenizer, byte_alphabet


def to_tokenizers(tokenizer: Tokenizer) -> Any:
    """A `tokenizers.Tokenizer` with the ids of `tokenizer`, its pieces, and the end of document as a special token.

    An adopted tokenizer gives the library's own form back, without the tokens that it may have put around texts.
    Both merge the pair with the lowest rank first. tiktoken ranks a pair by the token that it makes, `tokenizers`
    by its place in a list of pairs, so the list holds every pair that makes a token, in the order of the tokens.
    """
    if isinstance(tokenizer, AdoptedTokenizer):
        return tokenizer.to_library()
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

    tokens = [tokenizer.decode_bytes([i]) for i in range(tokenizer.end_of_document)]
    letters = {byte: letter for letter, byte in byte_alphabet().items()}
    names = {token: "".join(letters[byte] for byte in token) for token in tokens}
    merges = [(names[left], names[right]) for left, right in merged_pairs(tokens)]
    vocabulary = {names[token]: i for i, token in enumerate(tokens)}
    # tiktoken takes a piece that is a token as that token, also where no merges lead to it.
    engine = Tokenizer(models.BPE(vocabulary, merges, ignore_merges=True))
    pieces = pre_tokenizers.Split(Regex(tokenizer.pattern), behavior="isolated")
    as_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    engine.pre_tokenizer = pre_tokenizers.Sequence([pieces, as_bytes])
    engine.decoder = decoders.ByteLevel()
    engine.add_special_tokens([AddedToken(END_OF_DOCUMENT, special=True, normalized=False)])
    return engine


def merged_pairs(tokens: list[bytes]) -> list[tuple[bytes, bytes]]:
    """Every pair of earlier tokens that makes a token, in the order of the tokens made."""
    ranks = {token: rank for rank, token in enumerate(tokens)}
    pairs = []
    for rank, token in enumerate(tokens):
        cuts = [(token[:cut], token[cut:]) for cut in range(1, len(token))]
        earlier = [pair for pair in cuts if max(ranks.get(part, rank) for part in pair) < rank]
        pairs += sorted(earlier, key=lambda pair: [ranks[part] for part in pair])
    return pairs


def tokenizer_config(tokenizer: Tokenizer, context: int) -> dict[str, Any]:
    """`tokenizer_config.json`: the end of document also begins one and pads; its name in a text is plain text."""
    end = tokenizer.end_name if isinstance(tokenizer, AdoptedTokenizer) else END_OF_DOCUMENT
    names = ("bos_token", "eos_token", "pad_token")
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": context,
        "padding_side": "left",
        "clean_up_tokenization_spaces": False,
        "split_special_tokens": True,
        **dict.fromkeys(names, end),
    }
