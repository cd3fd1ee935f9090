"""In which ways a model is scored."""

from dataclasses import dataclass

from hutch.runs import BadInput
from hutch.studies.retrieval.configuration import RetrievalConfig

OFF = "off"
"""The name of the setting in which nothing is retrieved; the only one of a model without retrieval."""


@dataclass(frozen=True)
class Setting:
    """What is retrieved from and how many neighbours are read."""

    chunks: int
    """Chunks of the database that are searched."""
    neighbours: int
    """k; 0: nothing is retrieved."""

    @property
    def name(self) -> str:
        """ "off", or "4 of 12000": four neighbours from the first 12,000 chunks."""
        return OFF if self.neighbours == 0 else f"{self.neighbours} of {self.chunks}"


def database_sizes(config: RetrievalConfig, chunks: int) -> list[int]:
    """Chunks that are searched at evaluation, ascending. `BadInput` where the smallest database has fewer chunks than
    a search is to find."""
    sizes = [max(1, round(share * chunks)) for share in config.shares]
    most = config.evaluated_neighbours[-1]
    if sizes[0] < most:
        raise BadInput(
            f"a share of {config.shares[0]:g} of the database is {sizes[0]} of {chunks} chunks, fewer than the {most} "
            "neighbours of a search: give more text"
        )
    return sizes


def settings_of(config: RetrievalConfig, chunks: int) -> list[Setting]:
    """Off; the training's k from each smaller database; each k from the whole one."""
    smaller = [Setting(size, config.neighbours) for size in database_sizes(config, chunks)[:-1]]
    return [Setting(0, 0), *smaller, *(Setting(chunks, k) for k in config.evaluated_neighbours)]
