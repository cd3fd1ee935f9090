"""Text on the terminal as it comes."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hutch.lm.language_model import LanguageModel, Sampling

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What a terminal would act on, line feeds and tabs apart."""


def say(text: str) -> None:
    """Write text to stdout at once. A terminal is spared control characters, which a model may well write."""
    sys.stdout.write(CONTROLS.sub("\ufffd", text) if sys.stdout.isatty() else text)
    sys.stdout.flush()


def say_prompt(text: str) -> None:
    """The same for what a person wrote: in bold, where there is a terminal."""
    if not sys.stdout.isatty():
        say(text)
        return
    from rich.console import Console
    from rich.text import Text

    Console().print(Text(CONTROLS.sub("\ufffd", text), style="bold"), end="", soft_wrap=True)


def stream_text(model: "LanguageModel", prompt: str, sampling: "Sampling") -> int:
    """Write one prompt and its continuation as it comes; returns the exit code.

    The prompt is written with the first of the text, so that a model that refuses it leaves nothing but its reason.
    """
    pieces: list[str] = []

    def on_text(index: int, text: str) -> None:
        if not pieces:
            say_prompt(prompt)
        pieces.append(text)
        say(text)

    try:
        model.generate([prompt], sampling, on_text)
    except KeyboardInterrupt:
        say("\n")
        return 130
    if not pieces:
        say_prompt(prompt)
    say("\n")
    return 0


@contextmanager
def working(texts: int) -> Iterator[Callable[[int, str], None]]:
    """While several texts are written: how much there is so far, on stderr where it is a terminal."""
    from rich.console import Console

    written = 0
    with Console(stderr=True).status(f"reading {texts} prompts") as status:

        def on_text(index: int, text: str) -> None:
            nonlocal written
            written += len(text)
            status.update(f"writing {texts} texts: {written:,} characters")

        yield on_text
