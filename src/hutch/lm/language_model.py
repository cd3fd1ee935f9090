"""What every language model here can do, whoever trained it: give likelihoods and write text.

Hutch's own models (`hutch.lm.own_model`) and imported ones (`hutch.lm.exchange`) are both of this kind, so commands
and evaluations do not know which they have.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from hutch.runs.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How text is drawn."""

    tokens: int = 200
    """At most so many new tokens."""
    temperature: float = 0.8
    """Logits are divided by it; 0 takes the most likely token."""
    top_k: int | None = 50
    """Only the k most likely tokens; None for all."""
    top_p: float | None = None
    """Only the nucleus: the fewest most likely tokens that together reach this probability (Holtzman et al. 2020,
    arXiv:1904.09751, §3.1); None for all."""
    repetition_penalty: float = 1.0
    """Logits of tokens that were seen before are divided by it where positive, multiplied where negative (Keskar et
    al. 2019, arXiv:1909.05858, §4.1); 1 for none."""
    no_repeat_ngram: int | None = None
    """No sequence of so many tokens appears twice; None for no such rule."""
    stop: tuple[str, ...] = ()
    """The text ends before the first of these."""
    seed: int = 0
    """The same seed gives the same text."""

    def __post_init__(self) -> None:
        if self.tokens < 1:
            raise BadInput(f"tokens must be at least 1, not {self.tokens}")
        if not 0 <= self.temperature <= 1000:
            raise BadInput(f"temperature must be from 0 (the most likely token) to 1000, not {self.temperature:g}")
        if self.top_k is not None and self.top_k < 1:
            raise BadInput(f"top_k must be at least 1, not {self.top_k}")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise BadInput(f"top_p must be above 0 and at most 1, not {self.top_p:g}")
        if not 0.01 <= self.repetition_penalty <= 100:
            raise BadInput(f"repetition_penalty must be from 0.01 to 100 (1 is none), not {self.repetition_penalty:g}")
        if self.no_repeat_ngram is not None and self.no_repeat_ngram < 1:
            raise BadInput(f"no_repeat_ngram must be at least 1, not {self.no_repeat_ngram}")
        if isinstance(self.stop, str) or not all(self.stop):
            raise BadInput("stop must be strings of at least one character: the empty one is everywhere")
        if self.seed < 0:
            raise BadInput(f"seed must be 0 or above, not {self.seed}")


@dataclass(frozen=True)
class Likelihood:
    """How likely a model finds one continuation."""

    nats: float
    """Log-likelihood of the continuation given its context, natural logarithm, at most 0."""
    greedy: bool
    """Every token of it was the most likely one."""
    tokens: int
    """Tokens of the continuation."""


class LanguageModel(Protocol):
    """Likelihoods and text; the three requests of lm-evaluation-harness."""

    name: str
    """What to call it."""
    context: int
    """Tokens that it sees at once."""

    def log_likelihood(self, requests: Sequence[tuple[str, str]]) -> list[Likelihood]:
        """One for each (context, continuation)."""
        ...

    def rolling_log_likelihood(self, texts: Sequence[str]) -> list[float]:
        """The log-likelihood of each whole text, nats: every token predicted once."""
        ...

    def generate(
        self,
        prompts: Sequence[str],
        sampling: Sampling,
        on_text: Callable[[int, str], None] | None = None,
    ) -> list[str]:
        """The new text after each prompt. `on_text(index of the prompt, new text)` is told of it as it comes."""
        ...
