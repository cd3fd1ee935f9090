"""A byte-level BPE tokenizer: trained with `tokenizers`, encoding with `tiktoken` from the same tokens.

Every text comes back byte for byte: nothing is normalised, and all 256 bytes are tokens. tiktoken encodes
about six times as fast as tokenizers does (13.9 against 2.1 MB/s on one core); its result is the definition,
and the tests compare the two on real documents.

Ids: 0–255 are the bytes, then the merged tokens in the order they were learned, and the last id ends a
document. The tokenizer of somebody else's model (`hutch.text.adopted_tokenizer`) does as much with other ids.
"""

import base64
import hashlib
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from hutch.runs.atomic import read_json, write_json
from hutch.runs.errors import BadInput, HutchError

FORMAT = "hutch tokenizer 1"
END_OF_DOCUMENT = "<|end_of_document|>"
"""How other tools may write the last id; inside a text it is ordinary text."""
SMALLEST_VOCABULARY = 257

SPLIT_PATTERN = (
    r"'(?i:[sdmt]|ll|ve|re)"  # English clitics: 's, 't, 'll ...
    r"|[^\r\n\p{L}\p{N}]?\p{L}{1,32}"  # a word, or 32 letters of it, with at most one space or mark before it
    r"|\p{N}{1,3}"  # digits in groups of at most three
    r"| ?[^\s\p{L}\p{N}]{1,32}[\r\n]{0,32}"  # punctuation and marks, with the newlines that follow
    r"|\s{0,256}[\r\n]{1,32}|\s{1,256}(?!\S)|\s"  # newlines; spaces except the last, which goes with the next word
)
"""No token crosses these pieces; every character is in some piece. It is the pattern of GPT-4's cl100k_base with
every repetition bounded: spaces to 256, because tiktoken's regex engine overflows its stack on a million of them,
the others to 32, because releases of tiktoken merge a piece in time that grows with the square of its length, and
text without spaces (Chinese, DNA) is one piece. A bound of 128 halves the speed on English (5 against 10 MB/s)."""


class Tokenizer:
    """Text to ids and back, without loss. Immutable; threads may share one."""

    format = FORMAT
    """What a file names itself."""

    def __init__(self, merged: Sequence[bytes], pattern: str = SPLIT_PATTERN):
        """`merged`: the tokens of two bytes or more, in the order they were learned."""
        self.pattern = pattern
        tokens = [bytes([byte]) for byte in range(256)] + [bytes(token) for token in merged] + [b""]
        if len(set(tokens)) != len(tokens):
            raise BadInput("a tokenizer needs distinct, non-empty tokens; some are given twice")
        self._hold(tokens, len(tokens) - 1)

    def _hold(self, tokens: list[bytes], end_of_document: int) -> None:
        """The bytes behind each id, and the id that ends a document; what follows from them."""
        self._tokens = tokens
        self.vocabulary = len(tokens)
        self.end_of_document = end_of_document
        self.dtype = np.dtype(np.uint16 if self.vocabulary <= 2**16 else np.uint32)

    @classmethod
    def train(cls, texts: Iterable[str], vocabulary: int) -> "Tokenizer":
        """Learn `vocabulary` - 257 merged tokens from `texts` (the same texts give the same tokens).

        Raises BadInput when the texts have too few repeated pairs for so many tokens.
        """
        if vocabulary < SMALLEST_VOCABULARY:
            raise BadInput(f"vocabulary is {vocabulary}; it must be at least {SMALLEST_VOCABULARY}: all bytes, one end")
        tokens = train_tokens(texts, vocabulary - 1)
        if len(tokens) < vocabulary - 1:
            raise BadInput(
                f"vocabulary is {vocabulary}, but the text supports at most {len(tokens) + 1} tokens: "
                "ask for fewer, or give more text"
            )
        return Tokenizer(tokens[256:])

    @cached_property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that name the vocabulary and the pattern."""
        state = hashlib.sha256(f"{FORMAT}\n{self.pattern}\n".encode())
        for token in self._tokens:
            state.update(len(token).to_bytes(4, "little") + token)
        return state.hexdigest()[:16]

    @cached_property
    def byte_lengths(self) -> np.ndarray:
        """Bytes of text behind each id, int64 [vocabulary]; zero for `end_of_document`."""
        return np.array([len(token) for token in self._tokens], dtype=np.int64)

    def check(self, text: str) -> None:
        """Raise BadInput for a text that could not come back: one with lone surrogates, which are no Unicode text."""
        check_text(text)

    def encode(self, text: str) -> list[int]:
        """Ids of `text`, without an end of document. The literal names of special tokens are plain text.

        Raises BadInput for a text that `check` refuses.
        """
        self.check(text)
        return self._encoding.encode_ordinary(text)

    def encode_batch(self, texts: Sequence[str], threads: int = 1) -> list[np.ndarray]:
        """Ids of each text as an array of `dtype`; the work is done outside Python's lock, so threads help."""
        if threads <= 1 or len(texts) < 2:
            return [self._encode_array(text) for text in texts]
        self._encoding  # noqa: B018  built once, before the threads ask for it
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(self._encode_array, texts))

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """The exact bytes behind `ids`; an end of document is no bytes. Raises BadInput for an unknown id."""
        ids = [int(i) for i in ids]
        if ids and not 0 <= min(ids) <= max(ids) < self.vocabulary:
            raise BadInput(f"token ids run from {min(ids)} to {max(ids)}; they must be below {self.vocabulary}")
        return b"".join([self._tokens[i] for i in ids])

    def decode(self, ids: Iterable[int]) -> str:
        """The text behind `ids`; bytes that form no character (a cut or an untrained model) become U+FFFD."""
        return self.decode_bytes(ids).decode("utf-8", errors="replace")

    def save(self, path: Path | str) -> None:
        """Write one JSON file, whole or not at all."""
        write_json(Path(path), {"format": self.format, "digest": self.digest, **self._content()})

    def _content(self) -> dict[str, Any]:
        """What `_of_content` makes the tokenizer of."""
        merged = [base64.b64encode(token).decode() for token in self._tokens[256:-1]]
        return {"pattern": self.pattern, "merged": merged}

    @classmethod
    def _of_content(cls, content: dict[str, Any]) -> "Tokenizer":
        return cls([base64.b64decode(token) for token in content["merged"]], content["pattern"])

    @staticmethod
    def load(path: Path | str) -> "Tokenizer":
        """Read what `save` wrote, of either kind. Raises HutchError, naming the file, for anything else."""
        # The one place that knows the other kind, which is built on this module.
        from hutch.text.adopted_tokenizer import AdoptedTokenizer

        content: Any = read_json(Path(path))
        kinds = {kind.format: kind for kind in (Tokenizer, AdoptedTokenizer)}
        kind = kinds.get(str(content.get("format"))) if isinstance(content, dict) else None
        if kind is None:
            raise HutchError(f"{path} is not a tokenizer of the format {' or '.join(map(repr, kinds))}")
        try:
            tokenizer = kind._of_content(content)
        except (KeyError, TypeError, ValueError, BadInput) as error:
            raise HutchError(f"{path} is a damaged tokenizer file: {error}") from error
        if tokenizer.digest != content.get("digest"):
            raise HutchError(f"{path} is a damaged tokenizer file: its tokens do not match its digest")
        return tokenizer

    def _encode_array(self, text: str) -> np.ndarray:
        return np.array(self.encode(text), dtype=self.dtype)

    @cached_property
    def _encoding(self) -> Any:
        import tiktoken

        ranks = {token: rank for rank, token in enumerate(self._tokens[:-1])}
        return tiktoken.Encoding("hutch", pat_str=self.pattern, mergeable_ranks=ranks, special_tokens={})


def check_text(text: str) -> None:
    """Raise BadInput for lone surrogates, which tiktoken would silently replace."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise BadInput(
                f"the text holds a lone surrogate at character {error.start}; it is no Unicode text"
            ) from error


def train_tokens(texts: Iterable[str], size: int) -> list[bytes]:
    """The 256 bytes and then up to `size` - 256 merged tokens in the order of learning."""
    alphabet = byte_alphabet()
    learned = sorted(trained_engine(texts, size).get_vocab().items(), key=lambda entry: entry[1])
    tokens = [bytes(alphabet[character] for character in token) for token, _ in learned]
    return sorted(token for token in tokens if len(token) == 1) + [token for token in tokens if len(token) > 1]


def trained_engine(texts: Iterable[str], size: int) -> Any:
    """A tokenizer of the library `tokenizers`, trained to at most `size` tokens; it cuts and writes as ours."""
    # tokenizers prints a warning when a process forks after it has used its threads; a set value silences it.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

    engine = Tokenizer(models.BPE())
    pieces = pre_tokenizers.Split(Regex(SPLIT_PATTERN), behavior="isolated")
    as_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    engine.pre_tokenizer = pre_tokenizers.Sequence([pieces, as_bytes])
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=list(byte_alphabet()), show_progress=False, special_tokens=[]
    )
    engine.train_from_iterator(texts, trainer)
    return engine


def byte_alphabet() -> dict[str, int]:
    """How `tokenizers` writes bytes: printable Latin-1 as itself, the others as U+0100 and up."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(others)}
