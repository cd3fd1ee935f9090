"""A model that somebody else trained, in a format that transformers reads, as a `LanguageModel`.

Texts are cut into tokens, windows and padding as lm-evaluation-harness does it for such models (`HFLM`), so figures
can be compared: a tokenizer that begins texts with a token of its own does so here too, also in the text that
`rolling_log_likelihood` scores.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hutch.lm.exchange.imported_reading import Abilities, continue_texts
from hutch.lm.exchange.opening import embeddings, first_line, open_pretrained
from hutch.lm.exchange.scoring import score_imported
from hutch.lm.exchange.token_texts import TokenTexts
from hutch.lm.language_model import Likelihood, Sampling
from hutch.lm.text_stream import TextStream
from hutch.lm.token_windows import encode_pair, windows_of_continuation
from hutch.runs.errors import BadInput
from hutch.runs.seeds import seed_of
from hutch.text.tokenizer import check_text

PROMPTS_AT_ONCE = 16

CONTEXT_NAMES = ("n_positions", "max_position_embeddings", "n_ctx")
"""What configurations call the context; lm-evaluation-harness asks for them in this order."""
UNKNOWN_CONTEXT = 2048
"""Where nothing says how much a model sees."""


class ImportedModel:
    """Likelihoods and text from any causal language model of transformers."""

    def __init__(self, model: Any, tokenizer: Any, name: str) -> None:
        """`model` and `tokenizer` are transformers' own objects; the model is on its device and in eval mode."""
        self.model, self.tokenizer, self.name = model, tokenizer, name
        self.context = context_of(model.config, tokenizer)
        self.ends = ends_of(model, tokenizer)
        """The tokens that end a text."""
        self._abilities, self._rows = Abilities(model), embeddings(model)

    @classmethod
    def load(
        cls, path: Path | str, *, name: str | None = None, device: str = "cpu", dtype: str = "float32"
    ) -> "ImportedModel":
        """Open a folder with config.json, weights and tokenizer, or a .gguf file, whose weights are unpacked to
        `dtype` ("float32", "bfloat16", "float16"). The model is called `name`, or else by its path.

        Raises BadInput where there is no such model or a package is missing, HutchError for a damaged one.
        """
        model, tokenizer = open_pretrained(Path(path), device, dtype)
        return cls(model, tokenizer, name or str(path))

    def log_likelihood(self, requests: Sequence[tuple[str, str]]) -> list[Likelihood]:
        """One for each (context, continuation): what is too long for the model loses its beginning; a continuation
        that is longer than the model's context is scored in several windows. An empty context is the token that
        begins texts."""
        pairs = [self._pair(*request) for request in requests]
        scores = self._scores(pairs)
        return [Likelihood(nats, greedy, len(after)) for (nats, greedy), (_, after) in zip(scores, pairs, strict=True)]

    def rolling_log_likelihood(self, texts: Sequence[str]) -> list[float]:
        """The log-likelihood of each whole text, nats, in windows of the context that overlap by one token."""
        return [nats for nats, _ in self._scores([([self.start], self._ids(text)) for text in texts])]

    def generate(
        self,
        prompts: Sequence[str],
        sampling: Sampling,
        on_text: Callable[[int, str], None] | None = None,
    ) -> list[str]:
        """The new text after each prompt, which ends at a token that ends texts, a stop string or `sampling.tokens`.

        Prompts are continued side by side; each has its own random numbers, from the seed and its index. An empty
        prompt asks for any text.
        """
        at_once = PROMPTS_AT_ONCE if self._abilities.padding else 1
        tell = on_text or (lambda index, text: None)
        return [
            text
            for first in range(0, len(prompts), at_once)
            for text in self._continue(prompts[first : first + at_once], first, sampling, tell)
        ]

    def chat_prompt(self, messages: Sequence[Mapping[str, str]]) -> str:
        """The prompt that asks for the next message, in the format that the model was trained on.

        Each message has a "role" ("system", "user", "assistant") and its "content". Raises BadInput for a model
        without a chat template, and for messages that its template refuses.
        """
        if not getattr(self.tokenizer, "chat_template", None):
            raise BadInput(f"{self.name} has no chat template: it is no model to talk with, give it a text to continue")
        try:
            return self.tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=True)
        except Exception as error:
            raise BadInput(f"the chat template of {self.name} refuses these messages: {first_line(error)}") from error

    @property
    def start(self) -> int:
        """The token that stands before a text: what begins one, else what ends one."""
        found = [self.tokenizer.bos_token_id, self.tokenizer.eos_token_id]
        if found == [None, None]:
            raise BadInput(f"the tokenizer of {self.name} has no token that begins or ends a text: give a context")
        return found[0] if found[0] is not None else found[1]

    def _ids(self, text: str) -> list[int]:
        """The tokens of a text; a beginning that the text spells out itself is not put before it again."""
        begun = [token for token in (self.tokenizer.bos_token, self.tokenizer.eos_token) if token][:1]
        return self._encode(text, **({"add_special_tokens": False} if begun and text.startswith(begun[0]) else {}))

    def _encode(self, text: str, **more: bool) -> list[int]:
        check_text(text)
        ids = self.tokenizer.encode(text, verbose=False, **more)
        if max(ids, default=0) >= self._rows:
            unknown = self.tokenizer.convert_ids_to_tokens(max(ids))
            raise BadInput(f"{self.name} has no embedding for {unknown!r}, which its tokenizer finds in a text")
        return ids

    def _pair(self, context: str, continuation: str) -> tuple[list[int], list[int]]:
        if context:
            before, after = encode_pair(self._ids, context, continuation)
            return before or [self.start], after
        after = self._encode(continuation, add_special_tokens=False)
        return (after[:1], after[1:]) if after[:1] == [self.start] else ([self.start], after)

    def _scores(self, pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> list[tuple[float, bool]]:
        """Of each (ids before, ids after): nats of those after, and whether each was the most likely."""
        windows = [windows_of_continuation(before, after, self.context) for before, after in pairs]
        scores = iter(score_imported(self.model, [window for one in windows for window in one]))
        parts = [[next(scores) for _ in one] for one in windows]
        return [(sum(nats for nats, _ in part), all(greedy for _, greedy in part)) for part in parts]

    def _continue(
        self, prompts: Sequence[str], first: int, sampling: Sampling, tell: Callable[[int, str], None]
    ) -> list[str]:
        """The new text after each of `prompts`, whose indices begin at `first`."""
        ids = [self._ids(prompt) or [self.start] for prompt in prompts]
        writers = [Writer(self.tokenizer, prompt, sampling.stop) for prompt in ids]

        def on_token(row: int, token: int | None) -> bool:
            new = writers[row].end() if token is None or token in self.ends else writers[row].write(token)
            if new:
                tell(first + row, new)
            return writers[row].ended

        seeds = [seed_of(sampling.seed, "sample", first + row) for row in range(len(prompts))]
        continue_texts(
            self.model,
            self._abilities,
            ids,
            sampling,
            context=self.context,
            seeds=seeds,
            ends=self.ends,
            on_token=on_token,
        )
        for row in range(len(prompts)):
            on_token(row, None)
        return [writer.text for writer in writers]


class Writer:
    """The text of one continuation, told as soon as it is certain."""

    def __init__(self, tokenizer: Any, prompt: Sequence[int], stop: tuple[str, ...]) -> None:
        self._tokens, self._stream = TokenTexts(tokenizer, prompt), TextStream(stop)
        self.text = ""

    @property
    def ended(self) -> bool:
        """A stop string has come, or `end`."""
        return self._stream.ended

    def write(self, token: int) -> str:
        """What has become certain with `token`."""
        return self._add(self._stream.write(self._tokens.write(token).encode()))

    def end(self) -> str:
        """The rest."""
        return "" if self.ended else self._add(self._stream.write(self._tokens.close().encode()) + self._stream.close())

    def _add(self, text: str) -> str:
        self.text += text
        return text


def context_of(config: Any, tokenizer: Any) -> int:
    """How many tokens a model sees at once, by its configuration, else by its tokenizer."""
    config = config.get_text_config()
    named = [getattr(config, name, None) for name in CONTEXT_NAMES]
    length = next((int(value) for value in named if value is not None), None) or tokenizer.model_max_length
    # Tokenizers that know no limit name one of 10³⁰.
    return length if length < 10**9 else UNKNOWN_CONTEXT


def ends_of(model: Any, tokenizer: Any) -> frozenset[int]:
    """Every token that, by the model's settings or by its tokenizer's, ends a text."""
    generation = getattr(model, "generation_config", None)
    told = [getattr(generation, "eos_token_id", None), model.config.get_text_config().eos_token_id]
    known = [token for value in told for token in (value if isinstance(value, list) else [value])]
    return frozenset(token for token in [*known, tokenizer.eos_token_id] if token is not None)
