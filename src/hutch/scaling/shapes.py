"""Shapes of transformers, and the published families: Gopher's Table 1, Chinchilla, Chinchilla's Table A9."""

from dataclasses import dataclass, fields

from hutch.runs.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The sizes of a decoder-only transformer that set its parameters and FLOPs."""

    layers: int
    """Transformer blocks, ℓ."""
    width: int
    """Model width, d."""
    heads: int
    """Attention heads in a block, h."""
    key_size: int
    """Width of one head's keys, queries and values, k; k·h need not equal d."""
    feed_forward: int
    """Hidden width of the two-matrix feed-forward block, f."""
    vocabulary: int
    """Rows of the embedding, which is also the output matrix, V."""
    context: int
    """Tokens in one training sequence, S."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise BadInput(f"shape: {field.name} is {value!r}; a whole number from 1 is needed")

    @property
    def attention_width(self) -> int:
        """k·h: what attention works in; some rows of Table A9 have k·h ≠ d."""
        return self.heads * self.key_size


_VOCABULARY = 32_000
_CONTEXT = 2048


def _published(layers: int, width: int, heads: int, key_size: int, feed_forward: int) -> Shape:
    return Shape(
        layers=layers,
        width=width,
        heads=heads,
        key_size=key_size,
        feed_forward=feed_forward,
        vocabulary=_VOCABULARY,
        context=_CONTEXT,
    )


GOPHER_FAMILY: dict[str, Shape] = {
    "44M": _published(8, 512, 16, 32, 2048),
    "117M": _published(12, 768, 12, 64, 3072),
    "417M": _published(12, 1536, 12, 128, 6144),
    "1.4B": _published(24, 2048, 16, 128, 8192),
    "7.1B": _published(32, 4096, 32, 128, 16384),
    "280B": _published(80, 16384, 128, 128, 65536),
}
"""Rae et al. 2021 (arXiv:2112.11446), Table 1, by printed size; feed-forward 4·d, relative positions."""

GOPHER = GOPHER_FAMILY["280B"]
"""Gopher, 280B, trained on 300B tokens."""

CHINCHILLA = _published(80, 8192, 64, 128, 32768)
"""Chinchilla, 70B, trained on 1.4T tokens: Hoffmann et al. 2022 (arXiv:2203.15556), Table 4."""

# (millions of parameters, d, f, k, h, ℓ). 14940 is right; lists with 14494 are in circulation.
# fmt: off
_TABLE_A9 = (
    (44, 512, 2048, 64, 8, 8), (57, 576, 2304, 64, 9, 9), (74, 640, 2560, 64, 10, 10),
    (90, 640, 2560, 64, 10, 13), (106, 640, 2560, 64, 10, 16), (117, 768, 3072, 64, 12, 12),
    (140, 768, 3072, 64, 12, 15), (163, 768, 3072, 64, 12, 18), (175, 896, 3584, 64, 14, 14),
    (196, 896, 3584, 64, 14, 16), (217, 896, 3584, 64, 14, 18), (251, 1024, 4096, 64, 16, 16),
    (278, 1024, 4096, 64, 16, 18), (306, 1024, 4096, 64, 16, 20), (425, 1280, 5120, 128, 10, 18),
    (489, 1280, 5120, 128, 10, 21), (509, 1408, 5632, 128, 11, 18), (552, 1280, 5120, 128, 10, 24),
    (587, 1408, 5632, 128, 11, 21), (632, 1536, 6144, 128, 12, 19), (664, 1408, 5632, 128, 11, 24),
    (724, 1536, 6144, 128, 12, 22), (816, 1536, 6144, 128, 12, 25), (893, 1792, 7168, 128, 14, 20),
    (1018, 1792, 7168, 128, 14, 23), (1143, 1792, 7168, 128, 14, 26), (1266, 2048, 8192, 128, 16, 22),
    (1424, 2176, 8704, 128, 17, 22), (1429, 2048, 8192, 128, 16, 25), (1593, 2048, 8192, 128, 16, 28),
    (1609, 2176, 8704, 128, 17, 25), (1731, 2304, 9216, 128, 18, 24), (1794, 2176, 8704, 128, 17, 28),
    (2007, 2304, 9216, 128, 18, 28), (2283, 2304, 9216, 128, 18, 32), (2298, 2560, 10240, 128, 20, 26),
    (2639, 2560, 10240, 128, 20, 30), (2980, 2560, 10240, 128, 20, 34), (3530, 2688, 10752, 128, 22, 36),
    (3802, 2816, 11264, 128, 22, 36), (4084, 2944, 11776, 128, 22, 36), (4516, 3072, 12288, 128, 24, 36),
    (6796, 3584, 14336, 128, 28, 40), (9293, 4096, 16384, 128, 32, 42), (11452, 4352, 17408, 128, 32, 47),
    (12295, 4608, 18432, 128, 36, 44), (12569, 4608, 18432, 128, 32, 47), (13735, 4864, 19456, 128, 32, 47),
    (14940, 4992, 19968, 128, 32, 49), (16183, 5120, 20480, 128, 40, 47),
)
# fmt: on

CHINCHILLA_TABLE_A9: dict[int, Shape] = {
    millions: _published(layers, width, heads, key_size, feed_forward)
    for millions, width, feed_forward, key_size, heads, layers in _TABLE_A9
}
"""Hoffmann et al. 2022, Table A9: the 50 models of the study, by millions of parameters as printed."""
