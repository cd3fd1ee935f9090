"""How the end of one process looks to the others of its group."""

from hutch.runs.errors import HutchError

SIGNS = ("gloo", "nccl", "connection closed", "connection reset", "broken pipe", "timed out")
"""What torch's messages hold when the other end of a collective operation has gone: their types do not tell."""


class LostProcess(HutchError):
    """Another process of the group has gone."""

    def __init__(self) -> None:
        super().__init__(
            "another process of the group has gone: the same command, with any number of processes, goes on from the "
            "last checkpoint"
        )


def is_loss(error: BaseException) -> bool:
    """Whether torch's error says that another process has gone."""
    return any(sign in str(error).lower() for sign in SIGNS)
