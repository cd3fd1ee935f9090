"""Texts that a model of transformers reads side by side, and what it writes behind them.

Legend: b rows, t time, v vocabulary.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from hutch.lm.language_model import Sampling
from hutch.lm.token_choice import choose_tokens

CACHES = ("cache", "past_key_values")
"""What transformers' versions call a model's memory of what it has read. Others, of recurrent models in older
versions, each ask for more than the memory."""


class Abilities:
    """What a model's forward pass takes: it differs from class to class and from version to version."""

    def __init__(self, model: Any) -> None:
        names = inspect.signature(model.forward).parameters
        self.cache = next((name for name in CACHES if name in names), None)
        """Its name for its memory; None: it reads a text anew for each token."""
        self.padding = "position_ids" in names and "attention_mask" in names
        """Texts of different lengths can be read side by side, with padding before the shorter ones."""
        self.last_logits = {"logits_to_keep": 1} if "logits_to_keep" in names else {}
        """What makes it compute the logits of the last token alone."""


class ImportedReading:
    """Some texts, each read as if it were alone, as `hutch.lm.reading.Reading` does for our own models.

    The rules are the same: of a text that is longer than the context its last tokens are read, and one that grows past
    the context is read anew from its latest half.
    """

    def __init__(self, model: Any, abilities: Abilities, texts: Sequence[Sequence[int]], context: int) -> None:
        """Read `texts`, ids, each at least one; of equal lengths where the model takes no padding."""
        self.model, self.abilities, self.context = model, abilities, context
        self.texts = [list(text) for text in texts]
        self._read([min(len(text), context) for text in self.texts])

    def feed(self, tokens: Sequence[int]) -> None:
        """Read one more token of each text."""
        full = [length == self.context for length in self.lengths]
        for text, token in zip(self.texts, tokens, strict=True):
            text.append(token)
        lengths = [self.context // 2 + 1 if f else n + 1 for f, n in zip(full, self.lengths, strict=True)]
        if any(full) or self.cache is None:
            self._read(lengths)
        else:
            self._go_on(tokens, lengths)

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these texts alone."""
        self.texts, self.lengths = [self.texts[row] for row in rows], [self.lengths[row] for row in rows]
        self.logits_bv = self.logits_bv[list(rows)]
        self.mask_bt = None if self.mask_bt is None else self.mask_bt[list(rows)]
        if hasattr(self.cache, "batch_select_indices"):
            self.cache.batch_select_indices(torch.tensor(rows, device=self.model.device))
        else:
            self.cache = None

    def _read(self, lengths: list[int]) -> None:
        """Read the last tokens of each text, so many of each, into a new memory."""
        longest = max(lengths)
        padded = [[0] * (longest - n) + text[-n:] for text, n in zip(self.texts, lengths, strict=True)]
        # Without padding the model is left to its own mask and positions, which is faster.
        self.mask_bt = None
        if min(lengths) < longest:
            places_bt = torch.arange(longest) + torch.tensor(lengths)[:, None] - longest
            self.mask_bt = (places_bt >= 0).long().to(self.model.device)
        self.cache = None
        self._pass(torch.tensor(padded), lengths)

    def _go_on(self, tokens: Sequence[int], lengths: list[int]) -> None:
        self.mask_bt = None if self.mask_bt is None else pad(self.mask_bt, (0, 1), value=1)
        self._pass(torch.tensor(tokens)[:, None], lengths)

    def _pass(self, ids_bt: Tensor, lengths: list[int]) -> None:
        more: dict[str, Any] = dict(self.abilities.last_logits)
        if self.mask_bt is not None:
            places_bt = (self.mask_bt.cumsum(1) - 1).clamp(min=0)
            more |= {"attention_mask": self.mask_bt, "position_ids": places_bt[:, -ids_bt.shape[1] :]}
        name = self.abilities.cache
        if name is not None and self.cache is not None:
            more[name] = self.cache
        output = self.model(input_ids=ids_bt.to(self.model.device), use_cache=name is not None, **more)
        self.cache = None if name is None else getattr(output, name)
        self.logits_bv, self.lengths = output.logits[:, -1], lengths
        """What comes next after each text, and how many of its tokens the model sees."""


@torch.inference_mode()
def continue_texts(
    model: Any,
    abilities: Abilities,
    prompts: Sequence[Sequence[int]],
    sampling: Sampling,
    *,
    context: int,
    seeds: Sequence[int],
    ends: frozenset[int],
    on_token: Callable[[int, int], bool],
) -> None:
    """Write behind each prompt (ids, at least one), each with its own seed, as `hutch.lm.sampling.continue_prompts`.

    A text ends after `sampling.tokens` tokens or when `on_token(index of the prompt, id)` is true. What counts as
    seen for the rules against repetition is the whole prompt and what was written, tokens of `ends` apart.
    """
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    seen = [[token for token in prompt if token not in ends] for prompt in prompts]
    reading, going = ImportedReading(model, abilities, prompts, context), list(range(len(prompts)))
    for left in reversed(range(sampling.tokens)):
        tokens = choose_tokens(reading.logits_bv, [seen[i] for i in going], sampling, [generators[i] for i in going])
        open_rows = [row for row, token in enumerate(tokens) if not on_token(going[row], token)]
        if not open_rows or not left:
            return
        if len(open_rows) < len(going):
            reading.keep(open_rows)
            going, tokens = [going[row] for row in open_rows], [tokens[row] for row in open_rows]
        for i, token in zip(going, tokens, strict=True):
            seen[i].append(token)
        reading.feed(tokens)
