"""The names that people give to the columns of a table of runs."""

import re
from collections.abc import Sequence

SIZES = ("parameters", "tokens", "flops")
COUNTS = (*SIZES, "budget")
"""Roles whose columns may have a unit, such as params_M."""
ROLES = (*SIZES, "loss", "budget", "run")

IGNORED = re.compile(r"[\s_\-.()\[\]/]")

SPELLINGS: dict[str, tuple[str, ...]] = {
    "parameters": (
        "n params nparams numparams parameters nparameters numparameters paramcount parametercount modelsize "
        "modelparams modelparameters totalparams totalparameters",
        "nonembeddingparams nonembeddingparameters nparamsnonembedding paramsnonembedding parametersnonembedding "
        "nonembparams nnonembedding nonembedding",
    ),
    "tokens": (
        "d tokens ntokens numtokens traintokens trainingtokens ntraintokens numtraintokens totaltokens tokensseen",
    ),
    "flops": ("c flops flop compute trainflops trainingflops totalflops traincompute trainingcompute totalcompute",),
    "loss": ("loss finalloss valloss validloss validationloss evalloss testloss", "trainloss trainingloss lossraw"),
    "budget": ("budget isoflopbudget flopsbudget flopbudget computebudget",),
    "run": ("run", "runid", "runname", "id", "name"),
}
"""Of each role, sets of equally good names, the best set first, in lower case without what `IGNORED` ignores."""

OTHER_UNIT = "which may not be in nats per token"
CAUTIONS = {
    "nonembedding": "which leaves the embedding out of N",
    "nonemb": "which leaves the embedding out of N",
    "train": "the loss on training text, not on held-out text",
    "raw": OTHER_UNIT,
    "bit": OTHER_UNIT,
    "bpb": OTHER_UNIT,
    "bpt": OTHER_UNIT,
    "byte": OTHER_UNIT,
    "perchar": OTHER_UNIT,
    "ppl": OTHER_UNIT,
    "perplexity": OTHER_UNIT,
}
"""What to know of a name of the last resort, by what it holds."""

WITH_UNIT = re.compile(
    r"(?P<base>.+?)[\s_\-.(\[/]+(?:in[\s_])?(?P<unit>[kmbgt]|(?:thousand|million|billion|trillion)s?)[)\]]?",
    re.IGNORECASE,
)
UNITS = {"k": 1e3, "t": 1e12, "m": 1e6, "b": 1e9, "g": 1e9}
WORDS = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}


def candidates(names: Sequence[str], role: str) -> tuple[list[str], list[str]]:
    """The columns that `role` may be, equally good; and those of a worse name that are passed over for them. A name
    with a unit is worse than the same without."""
    found: list[list[str]] = []
    for one in SPELLINGS[role]:
        spelled = set(one.split())
        found.append([name for name in names if squeezed(name) in spelled])
        if role in COUNTS:
            found.append(
                [name for name in names if name not in found[-1] and squeezed(without_unit(name)[0]) in spelled]
            )
    best, *worse = [*filter(None, found), []]
    return best, [name for others in worse for name in others]


def caution(name: str, role: str) -> str | None:
    """What to know of a column that was taken as the last resort."""
    plain = squeezed(without_unit(name)[0])
    if plain in SPELLINGS[role][0].split() or role == "run":
        return None
    return next((what for part, what in CAUTIONS.items() if part in plain), None)


def without_unit(name: str) -> tuple[str, float]:
    """A name without the unit at its end, and that unit: ("params", 1e6) of params_M, ("tokens", 1e9) of tokens
    (billions), and ("tokens", 1) of tokens."""
    found = WITH_UNIT.fullmatch(name)
    # d_k is no number of tokens in thousands, though D_K may be.
    if not found or (len(found["base"]) == 1 and found["unit"] in UNITS):
        return name, 1.0
    unit = found["unit"].lower()
    return found["base"], UNITS[unit] if unit in UNITS else WORDS[unit.removesuffix("s")]


def squeezed(name: str) -> str:
    return IGNORED.sub("", name).lower()
