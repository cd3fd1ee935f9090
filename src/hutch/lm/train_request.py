"""What somebody asks for who wants a model trained, and the configuration that this becomes on a corpus."""

import dataclasses
from dataclasses import dataclass

from hutch.lm.family import model_of_shape, model_of_width
from hutch.lm.model import ModelConfig
from hutch.lm.schedules import Schedule
from hutch.lm.train_config import Algorithm, Precision, TrainConfig
from hutch.runs.errors import BadInput
from hutch.scaling import CHINCHILLA, CHINCHILLA_TABLE_A9, GOPHER_FAMILY, Shape
from hutch.scaling.flops import Positions

DEFAULT_VOCABULARY, DEFAULT_CONTEXT = 2048, 256


@dataclass(frozen=True, kw_only=True)
class TrainRequest:
    """A model by its width or by the name of a published shape, and how to train it."""

    width: int | None = None
    """Width of a member of Hutch's family; this or `shape`."""
    shape: str | None = None
    """A name in `published_shapes`."""
    vocabulary: int | None = None
    """Tokens of the tokenizer; None: those of the corpus, or 2048 for one that is still to be built."""
    context: int | None = None
    """Tokens of a sequence; None: 256, or the published shape's."""
    positions: Positions = "rotary"
    tokens: int
    """Training tokens."""
    sequences: int = 16
    """Sequences in a batch."""
    peak_rate: float = 0.006
    """Learning rate at width 64; the width rule carries it to others."""
    embedding_rate: float = 60.0
    """The embedding's, as a multiple."""
    schedule: Schedule = "cosine"
    cooldown: float = 0.2
    algorithm: Algorithm = "adamw"
    precision: Precision | None = None
    """None: what the device multiplies fastest in."""
    compiled: bool | None = None
    """Through torch.compile; None: where that pays for itself within the run (`hutch.lm.compiling`)."""
    micro_sequences: int | None = None
    recompute: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if (self.width is None) == (self.shape is None):
            raise BadInput("exactly one of width and shape is needed")
        if self.shape is not None and self.shape not in published_shapes():
            raise BadInput(f"there is no shape {self.shape!r}: choose one of {', '.join(published_shapes())}")

    def model(self, vocabulary: int) -> ModelConfig:
        """The model, for a tokenizer of that many tokens."""
        if self.width is not None:
            context = self.context or DEFAULT_CONTEXT
            return model_of_width(self.width, vocabulary=vocabulary, context=context, positions=self.positions)
        published = published_shapes()[self.shape or ""]
        shape = dataclasses.replace(published, vocabulary=vocabulary, context=self.context or published.context)
        return model_of_shape(shape, positions=self.positions)

    def config(self, *, vocabulary: int, precision: Precision, corpus: str) -> TrainConfig:
        """The whole configuration, on the corpus with that digest; not compiled where that is still to be found out."""
        taken = {field.name for field in dataclasses.fields(TrainConfig)} - {"model", "precision", "corpus", "compiled"}
        same = {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name in taken}
        return TrainConfig(
            model=self.model(vocabulary), precision=precision, corpus=corpus, compiled=bool(self.compiled), **same
        )


def published_shapes() -> dict[str, Shape]:
    """By name: gopher-44M to gopher-280B (Rae et al. 2021, Table 1), chinchilla-44M to chinchilla-16183M (Hoffmann et
    al. 2022, Table A9), chinchilla-70B."""
    gopher = {f"gopher-{name}": shape for name, shape in GOPHER_FAMILY.items()}
    chinchilla = {f"chinchilla-{millions}M": shape for millions, shape in CHINCHILLA_TABLE_A9.items()}
    return gopher | chinchilla | {"chinchilla-70B": CHINCHILLA}
