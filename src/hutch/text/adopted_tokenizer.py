"""The tokenizer of somebody else's model, so that a corpus can be encoded for it.

Every text comes back byte for byte, as with our own: so only byte-level BPE that changes nothing before it cuts (GPT-2,
Llama 3, SmolLM2) is adopted. What would change a text is refused: a normalizer (NFC in Qwen's and GPT-NeoX's), a space
that is put before it, the "▁" of SentencePiece.

The library `tokenizers` encodes, in this form: https://github.com/huggingface/tokenizers. tiktoken is faster, but ranks
pairs by the token that they make, which for a list of merges that it did not learn gives other ids.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from hutch.runs.errors import BadInput
from hutch.text.tokenizer import Tokenizer, byte_alphabet

FORMAT = "hutch adopted tokenizer 1"
LOSSLESS = ("ByteLevel", "Digits", "FixedLength", "Punctuation", "Split", "UnicodeScripts")
"""Steps of the library that cut a text and leave all of it."""
BYTES = byte_alphabet()
"""The byte that each of the library's letters stands for."""
UTF8_BYTES = bytes([*range(0xC0), *range(0xC2, 0xF5)])
"""All bytes that UTF-8 has."""


class AdoptedTokenizer(Tokenizer):
    """Text to the ids of a tokenizer that somebody else trained, and back, without loss. Immutable; threads may share
    one.

    Ids may be anywhere, and there may be fewer than `vocabulary`. No text leads to a token that is marked as special;
    those have no bytes, nor do ids that the tokenizer does not know. Tokens that were added without that mark are part
    of texts, as the library has it.
    """

    format = FORMAT

    def __init__(self, text: str, end_of_document: int, vocabulary: int | None = None):
        """
        Args:
            text: the tokenizer as the library writes it, `tokenizers.Tokenizer.to_str()` or a tokenizer.json. What it
                would put around texts, cut from or pad them with is left out.
            end_of_document: the id of the token that ends a document; it counts as special.
            vocabulary: rows of the model's embedding, more than there are tokens where that is padded; None: as many
                as the ids need. Special tokens beyond it are left out: the model does not know them.

        Raises:
            BadInput: it is no such tokenizer, it does not give texts back, or the two ids do not fit.
        """
        try:
            content = settled(json.loads(text), end_of_document)
            tokens = token_bytes(content)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadInput(f"this is no tokenizer of the library tokenizers: {type(error).__name__} {error}") from error
        added = {token["id"]: token for token in content["added_tokens"]}
        if end_of_document not in added:
            raise BadInput(f"token {end_of_document} cannot end documents: it is none of the {len(added)} added tokens")
        last = max([*tokens, end_of_document])
        vocabulary = 1 + max([last, *added]) if vocabulary is None else vocabulary
        if last >= vocabulary:
            raise BadInput(f"the tokenizer uses token {last}; a vocabulary of {vocabulary} does not have it")
        self._text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        self._hold([tokens.get(number, b"") for number in range(vocabulary)], end_of_document)
        self.end_name: str = added[end_of_document]["content"]
        """How the tokenizer writes the end of document."""
        known = {BYTES[letter] for letter in content["model"]["vocab"] if letter in BYTES}
        unknown = bytes(byte for byte in UTF8_BYTES if byte not in known)
        self._unknown = re.compile(b"[" + re.escape(unknown) + b"]") if unknown else None
        self._encoding  # noqa: B018  what the library cannot read is to be refused now

    def __reduce__(self) -> tuple[Any, ...]:
        # The library's own way would lose that names of special tokens are plain text.
        return type(self), (self._text, self.end_of_document, self.vocabulary)

    @cached_property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that name what decides the ids: tokens, merges, cuts, the end, the vocabulary."""
        head = f"{FORMAT}\n{self.end_of_document}\n{self.vocabulary}\n"
        return hashlib.sha256((head + self._text).encode()).hexdigest()[:16]

    def check(self, text: str) -> None:
        """Raise BadInput for a text that could not come back: one with lone surrogates, or with bytes that are no
        token, as some of control characters and of planes without characters are not in SmolLM2."""
        super().check(text)
        data = text.encode()
        found = self._unknown.search(data) if self._unknown else None
        if found:
            place = len(data[: found.start()].decode(errors="ignore"))
            raise BadInput(
                f"the text holds U+{ord(text[place]):04X} at character {place}, for which the tokenizer has no token: "
                "leave it out"
            )

    def encode(self, text: str) -> list[int]:
        """Ids of `text`, without any that the tokenizer would put around it. The literal names of special tokens are
        plain text.

        Raises BadInput for a text that `check` refuses, and for one that is cut so that a special token is left.
        """
        self.check(text)
        # For a batch, even of one, the library lets go of Python's lock.
        ids = self._encoding.encode_batch_fast([text], add_special_tokens=False)[0].ids
        found, size = int(self.byte_lengths[ids].sum()), len(text.encode())
        if found != size:
            raise BadInput(f"the tokenizer gives {found:,} bytes back of a text of {size:,}: {text[:40]!r}")
        return ids

    def to_library(self) -> Any:
        """A new `tokenizers.Tokenizer`: the same ids, and names of special tokens found in texts unless told otherwise.

        Raises BadInput where the library refuses what was given.
        """
        # tokenizers prints a warning when a process forks after it has used its threads; a set value silences it.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
        from tokenizers import Tokenizer

        try:
            return Tokenizer.from_str(self._text)
        except Exception as error:  # the library raises no class of its own
            raise BadInput(f"this is no tokenizer of the library tokenizers: {error}") from error

    @cached_property
    def _encoding(self) -> Any:
        engine = self.to_library()
        engine.encode_special_tokens = True
        return engine

    def _content(self) -> dict[str, Any]:
        return {"tokenizers": self._text, "end_of_document": self.end_of_document, "vocabulary": self.vocabulary}

    @classmethod
    def _of_content(cls, content: dict[str, Any]) -> "AdoptedTokenizer":
        return cls(content["tokenizers"], content["end_of_document"], content["vocabulary"])


def settled(content: dict[str, Any], end_of_document: int) -> dict[str, Any]:
    """The library's JSON with all that decides the ids, in one form whatever the version that wrote it, and the rest
    as a byte-level tokenizer that adds nothing has it. Raises BadInput for one that does not give texts back."""
    model = content["model"]
    obstacle = next(obstacles(content), None)
    if obstacle:
        raise BadInput(
            f"this tokenizer {obstacle}, so texts would not come back byte for byte: "
            "only byte-level BPE without a normalizer can be adopted"
        )
    added = [
        token | {"special": token["special"] or token["id"] == end_of_document} for token in content["added_tokens"]
    ]
    # Before version 0.20 a merge was one string.
    merges = [pair.split(" ") if isinstance(pair, str) else pair for pair in model["merges"]]
    names = ("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix")
    return {
        "version": content["version"],
        **dict.fromkeys(("truncation", "padding", "normalizer", "post_processor")),
        "added_tokens": sorted(added, key=lambda token: token["id"]),
        "pre_tokenizer": content["pre_tokenizer"],
        "decoder": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE",
            **dict.fromkeys(names),
            **dict.fromkeys(("fuse_unk", "byte_fallback"), False),
            "ignore_merges": bool(model.get("ignore_merges")),
            "vocab": model["vocab"],
            "merges": merges,
        },
    }


def obstacles(content: dict[str, Any]) -> Iterator[str]:
    """What stands in the way of exact bytes, each as what the tokenizer does."""
    model, normalizer = content["model"], content["normalizer"]
    if model.get("type", "BPE") != "BPE":
        yield f"is no BPE but {model['type']}"
    if normalizer and normalizer.get("normalizers") != []:
        yield f"changes texts by a normalizer, {normalizer['type']}"
    for name in ("dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback"):
        if model.get(name):
            yield f"has {name}={model[name]!r}"
    steps = list(steps_of(content["pre_tokenizer"]))
    for step in steps:
        if step["type"] not in LOSSLESS or step.get("behavior") == "Removed":
            yield f"cuts texts by {step['type']}"
        if step.get("add_prefix_space"):
            yield "puts a space before texts"
    if [step["type"] for step in steps].count("ByteLevel") != 1:
        yield "does not cut texts into bytes"
    for token in content["added_tokens"]:
        if not token["special"] and (token["lstrip"] or token["rstrip"]):
            yield f"takes the spaces around {token['content']!r} away"


def steps_of(pre_tokenizer: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    """The steps that a text is cut in, one after the other."""
    if pre_tokenizer and pre_tokenizer["type"] == "Sequence":
        for step in pre_tokenizer["pretokenizers"]:
            yield from steps_of(step)
    elif pre_tokenizer:
        yield pre_tokenizer


def token_bytes(content: dict[str, Any]) -> dict[int, bytes]:
    """The bytes behind each id of the model and of the added tokens that are part of texts; special ones have none."""
    tokens = {}
    for token, number in content["model"]["vocab"].items():
        written = all(letter in BYTES for letter in token)
        tokens[number] = bytes(BYTES[letter] for letter in token) if written else token.encode()
    for token in content["added_tokens"]:
        if not token["special"]:
            tokens[token["id"]] = token["content"].encode()
        elif token["id"] in tokens:
            tokens[token["id"]] = b""
    return tokens
