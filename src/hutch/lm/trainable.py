"""What the training loop needs of a model: Hutch's transformers are trainable, and models of other rooms."""

from collections.abc import Callable, Iterator
from typing import Protocol

from torch import Tensor
from torch.nn import Parameter


class Trainable(Protocol):
    """A `torch.nn.Module` with a loss and widths."""

    @property
    def loss(self) -> Callable[..., Tensor]:
        """A batch's tensors, each with a row for each sequence, to the mean loss, nats per token."""
        ...

    def width_of(self, parameter_name: str) -> int:
        """The width that the optimizer's rule takes for a matrix (`hutch.lm.optimizer`)."""
        ...

    def parameters(self) -> Iterator[Parameter]: ...

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """All parameters; those that need no gradient stay as they are and are in no checkpoint."""
        ...


def trained_parameters(model: Trainable) -> dict[str, Parameter]:
    """By name, the parameters that training changes."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}
