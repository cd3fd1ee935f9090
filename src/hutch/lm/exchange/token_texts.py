"""Tokens of any tokenizer in, their text out as it grows."""

from collections.abc import Sequence
from typing import Any

REPLACEMENT = "\ufffd"
"""What tokenizers write for bytes that are no character, or not yet one."""
LOOK_BACK = 6
"""Tokens of the prompt that new ones are decoded with."""


class TokenTexts:
    """The text that each new token adds behind a prompt.

    A token's text depends on its neighbours: many tokenizers drop the space before a text's first word, and a
    character's bytes may be several tokens. So a few tokens are decoded with and without the new one, and what has
    been added is its text.
    """

    def __init__(self, tokenizer: Any, prompt: Sequence[int]) -> None:
        self._tokenizer = tokenizer
        self._ids = list(prompt[-LOOK_BACK:])
        self._first, self._told = 0, len(self._ids)

    def write(self, token: int) -> str:
        """What `token` adds to the text; nothing until a character is whole, and nothing for special tokens."""
        self._ids.append(token)
        before, after = self._text(self._told), self._text(len(self._ids))
        if len(after) <= len(before) or after.endswith(REPLACEMENT):
            return ""
        self._first, self._told = self._told, len(self._ids)
        return after[len(before) :]

    def close(self) -> str:
        """The rest without bytes that only begin a character."""
        before, after = self._text(self._told), self._text(len(self._ids)).rstrip(REPLACEMENT)
        return after[len(before) :]

    def _text(self, end: int) -> str:
        return self._tokenizer.decode(
            self._ids[self._first : end], skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
