"""A model that retrieves, with its database and its tokenizer, as a `LanguageModel`."""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from hutch.lm.language_model import Likelihood, Sampling
from hutch.lm.text_stream import TextStream
from hutch.lm.token_choice import choose_tokens
from hutch.lm.token_windows import Window, encode_pair, windows_of_continuation
from hutch.retrieval.database.config import Retriever
from hutch.retrieval.retro.retro_model import Retro
from hutch.retrieval.training.retro_folder import TrainedRetro
from hutch.retrieval.training.retro_reading import OnNeighbours, RetroReading
from hutch.runs.errors import BadInput
from hutch.runs.seeds import seed_of


class RetrievingModel:
    """Likelihoods and text; each whole chunk of what is read is looked up in the database.

    Every text begins a document: an end of document stands before it, as in training.
    """

    def __init__(
        self,
        trained: TrainedRetro,
        *,
        neighbours: int | None = None,
        retriever: Retriever | None = None,
        on_neighbours: OnNeighbours = lambda chunk, ids: None,
    ) -> None:
        """`neighbours`: k; None: that of training, 0: retrieval off. `on_neighbours` is told of every search while text
        is generated. Raises BadInput where the database holds fewer."""
        k = trained.config.neighbours if neighbours is None else neighbours
        if not 0 <= k <= len(trained.database):
            raise BadInput(f"{k} neighbours are asked for; the database holds {len(trained.database)} chunks")
        self.trained, self.neighbours, self.retriever = trained, k, retriever
        self.on_neighbours = on_neighbours
        self.name, self.tokenizer = str(trained.folder), trained.tokenizer
        self.context = trained.config.train.model.context

    def log_likelihood(self, requests: Sequence[tuple[str, str]]) -> list[Likelihood]:
        """One for each (context, continuation), in the windows of `OwnModel.log_likelihood`."""
        pairs = [encode_pair(self.tokenizer.encode, *request) for request in requests]
        return [self._likelihood([self.tokenizer.end_of_document, *before], after) for before, after in pairs]

    def rolling_log_likelihood(self, texts: Sequence[str]) -> list[float]:
        """The log-likelihood of each whole text, nats."""
        start = [self.tokenizer.end_of_document]
        return [self._likelihood(start, self.tokenizer.encode(text)).nats for text in texts]

    def generate(
        self,
        prompts: Sequence[str],
        sampling: Sampling,
        on_text: Callable[[int, str], None] | None = None,
    ) -> list[str]:
        """The new text after each prompt, one after the other; the random numbers of a prompt are those of
        `OwnModel.generate`."""
        tell = on_text or (lambda index, text: None)
        return [self._continue(index, prompt, sampling, tell) for index, prompt in enumerate(prompts)]

    @torch.inference_mode()
    def _continue(self, index: int, prompt: str, sampling: Sampling, tell: Callable[[int, str], None]) -> str:
        end = self.tokenizer.end_of_document
        seen = self.tokenizer.encode(prompt)
        generator = torch.Generator().manual_seed(seed_of(sampling.seed, "sample", index))
        reading = RetroReading(
            self.trained.model,
            self.trained.database,
            [end, *seen],
            neighbours=self.neighbours,
            room=sampling.tokens,
            retriever=self.retriever,
            on_neighbours=self.on_neighbours,
        )
        stream, parts = TextStream(sampling.stop), []

        def add(text: str) -> None:
            if text:
                parts.append(text)
                tell(index, text)

        for left in range(sampling.tokens, 0, -1):
            (token,) = choose_tokens(reading.logits_1v, [seen], sampling, [generator])
            if token == end:
                break
            seen.append(token)
            add(stream.write(self.tokenizer.decode_bytes([token])))
            if stream.ended or left == 1:
                break
            reading.feed(token)
        add(stream.close())
        return "".join(parts)

    @torch.inference_mode()
    def _likelihood(self, before: Sequence[int], after: Sequence[int]) -> Likelihood:
        scores = [self._score(window) for window in windows_of_continuation(before, after, self.context)]
        return Likelihood(sum((nats for nats, _ in scores), 0.0), all(greedy for _, greedy in scores), len(after))

    def _score(self, window: Window) -> tuple[float, bool]:
        """Log-likelihood of a window's targets, and whether each was the most likely."""
        model: Retro = self.trained.model
        ids_bt = torch.tensor([window.inputs])
        targets = torch.tensor(window.targets)
        logits_nv = model(ids_bt, self._neighbours(window.inputs))[0, -len(window.targets) :].float()
        nats = torch.nn.functional.cross_entropy(logits_nv, targets, reduction="none").double().sum()
        return -float(nats), bool((logits_nv.argmax(-1) == targets).all())

    def _neighbours(self, ids: Sequence[int]) -> torch.Tensor | None:
        chunk, database = self.trained.config.retro.chunk, self.trained.database
        whole = len(ids) // chunk
        if not (self.neighbours and whole):
            return None
        chunks = np.array(ids[: whole * chunk]).reshape(whole, chunk)
        found = database.search(chunks, self.neighbours, retriever=self.retriever).ids
        return torch.from_numpy(database.values(found))[None]
