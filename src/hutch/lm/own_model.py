"""A model that Hutch trained, with its tokenizer, as a `LanguageModel`."""

from collections.abc import Callable, Sequence
from pathlib import Path

from hutch.lm.checkpoints import load_model
from hutch.lm.language_model import Likelihood, Sampling
from hutch.lm.model import Transformer
from hutch.lm.sampling import continue_prompts
from hutch.lm.text_stream import TextStream
from hutch.lm.token_windows import encode_pair, score_windows, windows_of_continuation
from hutch.runs.errors import BadInput
from hutch.runs.seeds import seed_of
from hutch.text.tokenizer import Tokenizer

PROMPTS_AT_ONCE = 16

MODEL, TOKENIZER = "model.safetensors", "tokenizer.json"


class OwnModel:
    """Likelihoods and text from one of Hutch's transformers.

    Every text that it is asked about begins a document: an end of document stands before it, as in training. So
    likelihoods multiply along a text, that of a whole text is the one after an empty context, and an empty prompt asks
    for any document.
    """

    def __init__(self, model: Transformer, tokenizer: Tokenizer, name: str) -> None:
        """Raises BadInput where the tokenizer is another model's."""
        if tokenizer.vocabulary != model.config.vocabulary:
            raise BadInput(
                f"{name}: its tokenizer has {tokenizer.vocabulary} tokens, the model {model.config.vocabulary}: "
                "they do not belong together"
            )
        self.model, self.tokenizer, self.name = model.eval(), tokenizer, name
        self.context = model.config.context

    @classmethod
    def load(cls, folder: Path | str) -> "OwnModel":
        """Open a study's run (`STUDY/runs/ID`), or a folder that holds both model.safetensors and tokenizer.json.

        Raises BadInput where one of them is missing or they do not belong together, HutchError for a damaged file.
        """
        folder = Path(folder)
        weights = folder / MODEL
        if not weights.is_file():
            raise BadInput(no_model(folder))
        return cls(load_model(weights), Tokenizer.load(tokenizer_path(folder)), str(folder))

    def log_likelihood(self, requests: Sequence[tuple[str, str]]) -> list[Likelihood]:
        """One for each (context, continuation): what is too long for the model loses its beginning; a continuation
        that is longer than the model's context is scored in several windows."""
        pairs = [encode_pair(self.tokenizer.encode, *request) for request in requests]
        scores = self._scores([([self.tokenizer.end_of_document, *before], after) for before, after in pairs])
        return [Likelihood(nats, greedy, len(after)) for (nats, greedy), (_, after) in zip(scores, pairs, strict=True)]

    def rolling_log_likelihood(self, texts: Sequence[str]) -> list[float]:
        """The log-likelihood of each whole text, nats, without an end of document after it."""
        start = [self.tokenizer.end_of_document]
        return [nats for nats, _ in self._scores([(start, self.tokenizer.encode(text)) for text in texts])]

    def generate(
        self,
        prompts: Sequence[str],
        sampling: Sampling,
        on_text: Callable[[int, str], None] | None = None,
    ) -> list[str]:
        """The new text after each prompt, which ends at an end of document, a stop string or `sampling.tokens`.

        Prompts are continued side by side. Each has its own random numbers, from the seed and its index, so that a
        prompt that is asked twice gets two answers.
        """
        starts = range(0, len(prompts), PROMPTS_AT_ONCE)
        tell = on_text or (lambda index, text: None)
        return [
            text
            for first in starts
            for text in self._continue(prompts[first : first + PROMPTS_AT_ONCE], first, sampling, tell)
        ]

    def _continue(
        self, prompts: Sequence[str], first: int, sampling: Sampling, tell: Callable[[int, str], None]
    ) -> list[str]:
        """The new text after each of `prompts`, whose indices begin at `first`."""
        end = self.tokenizer.end_of_document
        streams = [TextStream(sampling.stop) for _ in prompts]
        texts = [""] * len(prompts)

        def add(row: int, text: str) -> None:
            if text:
                texts[row] += text
                tell(first + row, text)

        def on_token(row: int, token: int) -> bool:
            stream = streams[row]
            add(row, stream.close() if token == end else stream.write(self.tokenizer.decode_bytes([token])))
            return stream.ended

        seeds = [seed_of(sampling.seed, "sample", first + row) for row in range(len(prompts))]
        ids = [[end, *self.tokenizer.encode(prompt)] for prompt in prompts]
        continue_prompts(self.model, ids, sampling, seeds=seeds, end=end, on_token=on_token)
        for row, stream in enumerate(streams):
            add(row, stream.close())
        return texts

    def _scores(self, requests: Sequence[tuple[Sequence[int], Sequence[int]]]) -> list[tuple[float, bool]]:
        """Of each (ids before, ids after): nats of those after, and whether each was the most likely."""
        windows = [windows_of_continuation(before, after, self.context) for before, after in requests]
        scores = iter(score_windows(self.model, [window for one in windows for window in one]))
        parts = [[next(scores) for _ in one] for one in windows]
        return [(sum((nats for nats, _ in part), 0.0), all(greedy for _, greedy in part)) for part in parts]


def tokenizer_path(folder: Path) -> Path:
    """Where the tokenizer of the model in `folder` lies: beside it, or in the corpus of the study."""
    beside, of_study = folder / TOKENIZER, folder.resolve().parents[1:2]
    places = [beside, *(study / "corpus" / TOKENIZER for study in of_study)]
    found = next((path for path in places if path.is_file()), None)
    if found is None:
        raise BadInput(
            f"{folder} holds a model without its tokenizer: neither {' nor '.join(map(str, places))} is there"
        )
    return found


def no_model(folder: Path) -> str:
    """Why `folder` cannot be opened, and what could be."""
    if not folder.exists():
        return f"{folder} does not exist: name a folder that holds {MODEL}, such as STUDY/runs/ID"
    runs = sorted(folder.glob(f"runs/*/{MODEL}"), key=lambda path: path.stat().st_size)
    if runs:
        return (
            f"{folder} is a study with {len(runs)} models: name one of its runs, such as the largest, {runs[-1].parent}"
        )
    return f"{folder} holds no {MODEL}: it is no model that Hutch trained"
