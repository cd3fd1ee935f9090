"""Talk with a language model: turns in, a prompt out, in the model's own format or as a plain transcript."""

import dataclasses
from collections.abc import Callable, Sequence
from contextlib import suppress

from hutch.lm.language_model import LanguageModel, Sampling

NAMES = {"user": "User", "assistant": "Model"}
"""Who speaks, in a transcript."""
STOP = "\nUser:"
"""Where a model that goes on with the transcript begins the next question by itself."""


class Chat:
    """A conversation with one model.

    An imported model that has a chat template is asked in its own format. Any other model is given a transcript to
    continue, and its reply is cut where it begins the user's next turn (Rae et al. 2021, §6: dialogue-prompted). A
    conversation that outgrows the model's context loses its beginning.
    """

    def __init__(self, model: LanguageModel, system: str | None = None) -> None:
        """`system` says, before all turns, who talks and how."""
        self.model = model
        self.messages = [{"role": "system", "content": system}] if system else []
        """Each has a "role" ("system", "user", "assistant") and its "content"."""
        self.has_template = bool(getattr(getattr(model, "tokenizer", None), "chat_template", None))

    def reply(self, text: str, sampling: Sampling, on_text: Callable[[str], None] = lambda text: None) -> str:
        """The model's answer to `text`, without spaces around it; `on_text` is told of it as it comes.

        Ctrl-C ends the answer: what was said stays said. Each turn has its own random numbers.
        """
        self.messages.append({"role": "user", "content": text})
        said: list[str] = []

        def hear(index: int, new: str) -> None:
            new = new if said else new.lstrip()
            if new:
                said.append(new)
                on_text(new)

        stop = sampling.stop if self.has_template else (*sampling.stop, STOP)
        sampling = dataclasses.replace(sampling, stop=stop, seed=sampling.seed + len(self.messages))
        with suppress(KeyboardInterrupt):
            self.model.generate([self.prompt()], sampling, hear)
        self.messages.append({"role": "assistant", "content": "".join(said).rstrip()})
        return self.messages[-1]["content"]

    def prompt(self) -> str:
        """What the model is given to continue."""
        if self.has_template:
            return self.model.chat_prompt(self.messages)  # pyrefly: ignore[missing-attribute]
        return transcript(self.messages)


def transcript(messages: Sequence[dict[str, str]]) -> str:
    """The conversation as text that ends where the model speaks next."""
    system = [message["content"] + "\n\n" for message in messages if message["role"] == "system"]
    turns = [f"{NAMES[message['role']]}: {message['content']}\n" for message in messages if message["role"] in NAMES]
    return "".join([*system, *turns, f"{NAMES['assistant']}:"])
