"""Published compute-optimal laws and loss laws, each with its source."""

import math
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from hutch.runs.errors import BadInput
from hutch.scaling.laws import FLOPS_PER_ND, ParametricLaw, PowerLaw

PF_DAY = 8.64e19
"""FLOP in a petaFLOP/s-day."""


@dataclass(frozen=True, kw_only=True)
class PublishedLaw:
    """N_opt = k_n·C^a and D_opt = k_d·C^b, C in FLOP.

    `a` and `b` go with `k_n` and `k_d`; the figures as printed, rounded to two digits and sometimes outside
    their own printed interval, are `a_printed` and `b_printed`. None where the source gives no figure.
    """

    name: str
    source: str
    a: float
    b: float
    k_n: float | None = None
    k_d: float | None = None
    a_printed: float | None = None
    b_printed: float | None = None
    a_low: float | None = None
    a_high: float | None = None
    b_low: float | None = None
    b_high: float | None = None
    note: str = ""

    def n_opt(self, compute: ArrayLike) -> Any:
        """Parameters at `compute` FLOP; `BadInput` where only the exponent was published."""
        return self._law("k_n", self.k_n, self.a)(compute)

    def d_opt(self, compute: ArrayLike) -> Any:
        """Tokens at `compute` FLOP; `BadInput` where only the exponent was published."""
        return self._law("k_d", self.k_d, self.b)(compute)

    def _law(self, name: str, k: float | None, exponent: float) -> PowerLaw:
        if k is None:
            raise BadInput(f"{self.name}: {self.source} gives the exponent but no {name}")
        return PowerLaw(k, exponent)


HOFFMANN_ROUNDED = ParametricLaw(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
"""Hoffmann et al. 2022, eq. 10, as printed. Two-digit exponents move N_opt at 5.76e23 by 20 %."""

HOFFMANN_UNROUNDED = ParametricLaw(
    E=math.exp(0.5267228), A=math.exp(6.0073404), B=math.exp(6.0179186), alpha=0.33917084, beta=0.2849083
)
"""The same from the paper's TeX source (e^0.5267228, e^6.0073404, e^6.0179186), recovered by Besiroglu et
al."""

BESIROGLU_LAW = ParametricLaw(E=1.81686, A=482.00572, B=2085.4342, alpha=0.34781, beta=0.36585)
"""Besiroglu et al. 2024 (arXiv:2404.10102): the published point, not the exact minimiser of its objective."""

_TABLE_2 = "Hoffmann et al. 2022 (arXiv:2203.15556), Table 2"
_IMPLIED = "a, b, k_n, k_d are log–log least squares through the columns of "

HOFFMANN_1 = PublishedLaw(
    name="Hoffmann, approach 1",
    source=_TABLE_2,
    a=0.49810,
    b=0.50185,
    k_n=0.09916,
    k_d=1.6961,
    a_printed=0.50,
    b_printed=0.50,
    a_low=0.488,
    a_high=0.502,
    b_low=0.501,
    b_high=0.512,
    note=_IMPLIED + "Table 3",
)
HOFFMANN_2 = PublishedLaw(
    name="Hoffmann, approach 2",
    source=_TABLE_2,
    a=0.48994,
    b=0.51002,
    k_n=0.14488,
    k_d=1.1528,
    a_printed=0.49,
    b_printed=0.51,
    a_low=0.462,
    a_high=0.534,
    b_low=0.483,
    b_high=0.529,
    note=_IMPLIED + "Table A3",
)
HOFFMANN_3 = PublishedLaw(
    name="Hoffmann, approach 3",
    source=_TABLE_2,
    a=0.45866,
    b=0.54098,
    k_n=0.53462,
    k_d=0.31537,
    a_printed=0.46,
    b_printed=0.54,
    a_low=0.454,
    a_high=0.455,
    b_low=0.542,
    b_high=0.543,
    note=_IMPLIED + "Table A3, its 1.26e24 at 175B read as 1.26e25",
)
HOFFMANN_C4 = PublishedLaw(
    name="Hoffmann, approach 2 on C4",
    source="Hoffmann et al. 2022 (arXiv:2203.15556), Table A2",
    a=0.50,
    b=0.50,
    a_printed=0.50,
    b_printed=0.50,
)
HOFFMANN_GITHUB = PublishedLaw(
    name="Hoffmann, approach 2 on GitHub",
    source="Hoffmann et al. 2022 (arXiv:2203.15556), Table A2",
    a=0.53,
    b=0.47,
    a_printed=0.53,
    b_printed=0.47,
)
KAPLAN = PublishedLaw(
    name="Kaplan",
    source="Kaplan et al. 2020 (arXiv:2001.08361), Table 6: N 1.3e9·C^0.73, D 2e10·C^0.27, C in PF-days",
    a=0.73,
    b=0.27,
    k_n=1.3e9 / PF_DAY**0.73,
    k_d=2e10 / PF_DAY**0.27,
    a_printed=0.73,
    b_printed=0.27,
    note="C is C_min (batch far below the critical one); N leaves embeddings out",
)
BESIROGLU = PublishedLaw(
    name="Besiroglu",
    source="Besiroglu et al. 2024 (arXiv:2404.10102), refit of approach 3 on 240 points",
    a=BESIROGLU_LAW.a,
    b=BESIROGLU_LAW.b,
    k_n=BESIROGLU_LAW.n_opt(1.0),
    k_d=BESIROGLU_LAW.d_opt(1.0),
    a_printed=0.513,
    b_printed=0.487,
    note="the paper prints the width of the 80 % interval of a, 0.051, not its ends",
)
LLAMA_3 = PublishedLaw(
    name="Llama 3",
    source="Llama 3 (arXiv:2407.21783), Figure 3: D = 0.299·C^0.537",
    a=1 - 0.537,
    b=0.537,
    k_n=1 / (FLOPS_PER_ND * 0.299),
    k_d=0.299,
    b_printed=0.537,
    note="a and k_n follow from 6·N·D = C",
)

PUBLISHED: tuple[PublishedLaw, ...] = (
    HOFFMANN_1,
    HOFFMANN_2,
    HOFFMANN_3,
    HOFFMANN_C4,
    HOFFMANN_GITHUB,
    KAPLAN,
    BESIROGLU,
    LLAMA_3,
)
"""All of them, for tables and figures."""
