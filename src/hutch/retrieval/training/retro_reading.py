"""A text that a model reads while it retrieves, and what it expects next."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from hutch.retrieval.database import ChunkDatabase
from hutch.retrieval.database.config import Retriever
from hutch.retrieval.retro.incremental import RetroCache, new_retro_cache, read_on
from hutch.retrieval.retro.retro_model import Retro

OnNeighbours = Callable[[np.ndarray, np.ndarray], None]
"""Told the tokens of a chunk that has ended, [m], and the ids of what was found for it, [k]."""


class RetroReading:
    """One text. At the end of each chunk its neighbours are looked up before its last token is read, for that is the
    first that may attend to them (Borgeaud et al. 2021, §2.4).

    A model sees at most its context. A text that grows past it is read anew from its latest half, cut where a chunk
    begins, so that chunks stay what they were.
    """

    def __init__(
        self,
        model: Retro,
        database: ChunkDatabase,
        text: Sequence[int],
        *,
        neighbours: int,
        room: int,
        retriever: Retriever | None = None,
        on_neighbours: OnNeighbours = lambda chunk, ids: None,
    ) -> None:
        """Read `text`, ids, at least one, which may grow by `room` tokens; k = `neighbours`, 0: retrieval off."""
        self.model, self.database, self.neighbours, self.retriever = model, database, neighbours, retriever
        self.on_neighbours = on_neighbours
        self.text = list(text)
        self.columns = min(self._context, len(self.text) + room)
        self.found: dict[int, np.ndarray] = {}
        """By where a chunk starts in the text, the ids of its neighbours."""
        self.start = 0
        """Where what the model sees begins."""
        if len(self.text) > self._context:
            self.start = self._later_start()
        self.cache: RetroCache
        self.logits_1v: Tensor
        self._read_anew()

    def feed(self, token: int) -> None:
        """Read one more token."""
        self.text.append(token)
        if len(self.text) - self.start > self._context:
            self.start = self._later_start()
            self._read_anew()
        else:
            self.logits_1v = self._read(self.text[-1:], len(self.text) - 1)

    @property
    def _context(self) -> int:
        return self.model.config.decoder.context

    def _later_start(self) -> int:
        """The first beginning of a chunk from which at most half of the context is used."""
        chunk = self.model.config.chunk
        least = len(self.text) - max(chunk, self._context // 2)
        return -(-least // chunk) * chunk

    def _read_anew(self) -> None:
        self.cache = new_retro_cache(self.model, 1, self.columns)
        self.logits_1v = self._read(self.text[self.start :], self.start)

    def _read(self, tokens: Sequence[int], start: int) -> Tensor:
        """Read tokens that begin at `start` in the text; the logits of what follows the last, [1, v]."""
        chunk = self.model.config.chunk
        ended = range(-(-(start + 1) // chunk) * chunk, start + len(tokens) + 1, chunk)
        ids_bt = torch.tensor([list(tokens)])
        neighbours = self._values([end - chunk for end in ended]) if self.neighbours else None
        hidden_btd = read_on(self.model, self.cache, ids_bt, neighbours)
        return self.model.logits(hidden_btd[:, -1])

    def _values(self, starts: Sequence[int]) -> Tensor | None:
        """The neighbours' tokens of the chunks that start there, [1, u, k, r]."""
        if not starts:
            return None
        chunk = self.model.config.chunk
        for start in starts:
            if start not in self.found:
                tokens = np.array(self.text[start : start + chunk])
                ids = self.database.search(tokens[None], self.neighbours, retriever=self.retriever).ids[0]
                self.found[start] = ids
                self.on_neighbours(tokens, ids)
        return torch.from_numpy(self.database.values(np.stack([self.found[start] for start in starts])))[None]
