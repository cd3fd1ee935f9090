"""The published statements that this study tests, and the rules by which each gets its verdict.

`reproduced` where the whole interval lies on the side that the paper claims; `contradicted` where it lies wholly on the
other side and the study's range is comparable with the paper's; `not at this scale` in between, where the study is
too small to contradict, and where two trainings differ by no more than two seeds do; `not measured` where the runs for
it are missing. A range is comparable where the largest decoder has at least 100 million parameters (the paper's
smallest has 132) and, for what the database gives, the database at least 2 billion tokens (the paper's smallest,
Figure 1).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hutch.studies.claims import Claim, Verdict
from hutch.studies.retrieval.copying import NAMED, gain_at

PAPER = "Borgeaud et al. 2021 (arXiv:2112.04426)"
LEAST_PARAMETERS, LEAST_DATABASE = 1e8, 2e9
SMALL_DATABASE_GAIN = 0.01
"""Bits per byte on C4 with at most 4 billion tokens in the database (Figure 1): .01 at 172M and 425M, 0 above."""
ROUNDING = 0.01
"""The paper gives bits per byte with two digits."""


def claims(document: Mapping[str, Any]) -> list[Claim]:
    """Every claim, from the document's other parts, in the order in which the paper makes them."""
    largest = max((run["parameters"] for run in document["runs"]), default=0)
    sized = largest >= LEAST_PARAMETERS
    stocked = sized and document["database"]["tokens"] >= LEAST_DATABASE
    cells, noise = document["cells"], document["seeds"]["spread"] or 0.0
    return [
        _all_sizes(cells, stocked, noise),
        _small_database(document["database_curve"]["mean"], sized),
        _grows(document["database_curve"], stocked),
        _copying(document["copying"], stocked, noise),
        _neighbours(document["neighbours_curve"], stocked),
        _off(cells, sized),
        _equal_flops(document["multiplier"], document["gain_of_best"], stocked, noise),
    ]


def above_zero(gain: Mapping[str, Any] | None, comparable: bool, noise: float = 0.0) -> tuple[Verdict, str]:
    """The verdict on a gain that the paper finds above 0. `noise`: how far seeds lie apart, for a difference between
    two trainings; one that is no larger may be the seed's."""
    if gain is None or gain["low"] is None:
        return "not measured", "there is no interval of this gain"
    if not gain["low"] <= 0 <= gain["high"] and abs(gain["value"]) <= noise:
        return "not at this scale", f"no larger than what another seed does ({noise:.4f})"
    if gain["low"] > 0:
        return "reproduced", "the whole interval lies above 0"
    if gain["high"] < 0 and comparable:
        return "contradicted", "the whole interval lies below 0"
    if gain["high"] < 0:
        return "not at this scale", "the whole interval lies below 0, with far smaller models and database"
    return "not at this scale", "the interval holds 0"


def every(gains: Sequence[Mapping[str, Any] | None], comparable: bool, noise: float = 0.0) -> tuple[Verdict, str]:
    """The verdict on gains that the paper finds above 0 at every size: reproduced if all are, contradicted if one is
    below 0 beyond doubt in a comparable range; `noise` as in `above_zero`."""
    known = [gain for gain in gains if gain is not None and gain["low"] is not None]
    if not known or len(known) < len(gains):
        return "not measured", f"{len(gains) - len(known)} of {len(gains)} sizes have no partner on the same tokens"
    up, down = (
        sum(gain[end] * sign > 0 and abs(gain["value"]) > noise for gain in known)
        for end, sign in (("low", 1), ("high", -1))
    )
    seeds = f" and beyond what another seed does ({noise:.4f})" if noise else ""
    why = f"above 0 beyond doubt{seeds} at {up} of {len(known)} sizes, below at {down}"
    if up == len(known):
        return "reproduced", why
    return ("contradicted" if down and comparable else "not at this scale"), why


def within(gain: Mapping[str, Any] | None, bound: float, comparable: bool) -> tuple[Verdict, str]:
    """The verdict on a figure that the paper finds no larger than `bound`, either side of 0."""
    if gain is None or gain["low"] is None:
        return "not measured", "there is no interval of this difference"
    if -bound <= gain["low"] and gain["high"] <= bound:
        return "reproduced", f"the whole interval lies within {bound:g} of 0"
    outside = gain["low"] > bound or gain["high"] < -bound
    if outside and comparable:
        return "contradicted", f"the whole interval lies beyond {bound:g}"
    return "not at this scale", f"the interval {'lies beyond' if outside else 'reaches beyond'} {bound:g}"


def told(gain: Mapping[str, Any] | None, unit: str = "bits per byte", digits: int = 4) -> str:
    """A gain with its interval as text."""
    if gain is None or gain["value"] is None:
        return "–"
    ends = "" if gain["low"] is None else f" [{gain['low']:+.{digits}f}, {gain['high']:+.{digits}f}]"
    return f"{gain['value']:+.{digits}f}{ends} {unit}".strip().replace("-", "−")


def _all_sizes(cells: Sequence[Mapping[str, Any]], comparable: bool, noise: float) -> Claim:
    gains = [cell["gains"]["same_tokens"] for cell in cells]
    verdict, why = every(gains, comparable, noise)
    return Claim(
        id="gains-at-all-sizes",
        name="retrieval gains at every size",
        statement="Trained on the same tokens, a model with retrieval is better than one without, at every size",
        source=f"{PAPER}, Figure 1 and Table 8: C4, 1.75 T tokens in the database",
        published="−.16, −.15, −.13, −.12 bits per byte at 172M, 425M, 1.5B, 7.5B (.98 → .82 at 172M)",
        ours="; ".join(f"width {cell['width']}: {told(gain, '')}" for cell, gain in zip(cells, gains, strict=True)),
        verdict=verdict,
        why=why,
    )


def _small_database(curve: Sequence[Mapping[str, Any]] | None, comparable: bool) -> Claim:
    gain = curve[-1] if curve else None
    verdict, why = within(gain, SMALL_DATABASE_GAIN, comparable)
    if verdict == "not at this scale" and gain is not None and gain["low"] > SMALL_DATABASE_GAIN:
        why += "; this text may share more with itself than C4 does with MassiveText: see the overlaps"
    return Claim(
        id="small-database",
        name="a small database gains little",
        statement="With at most 4 billion tokens in the database, the gain on web text is at most 0.01 bits per byte",
        source=f"{PAPER}, Figure 1 (middle): C4, databases of 2 to 4 B tokens",
        published="0.01 at 172M and 425M, 0.00 at 1.5B and 7.5B",
        ours=f"{told(gain)}, averaged over sizes",
        verdict=verdict,
        why=why,
    )


def _grows(curve: Mapping[str, Any], comparable: bool) -> Claim:
    verdict, why = above_zero(curve["slope"], comparable)
    return Claim(
        id="gain-grows-with-database",
        name="the gain grows with the database",
        statement="The more tokens the database holds, the larger the gain",
        source=f"{PAPER}, Figure 1 (middle): C4, from 36 B to 1.75 T tokens",
        published="about +0.025 bits per byte for each doubling at 172M (.96 → .82 over 5.6 doublings)",
        ours=f"{told(curve['slope'])} for each doubling",
        verdict=verdict,
        why=why,
    )


def _copying(found: Mapping[str, Any], comparable: bool, noise: float) -> Claim:
    gain, exact = (gain_at(dict(found), mode, "same") for mode in ("neighbours", "exact"))
    verdict, why = above_zero(gain, comparable, noise)
    if gain is None:
        place = found["neighbours"]["alphas"].index(NAMED)
        why = f"{found['neighbours']['chunks'][place]} chunks are left; {found['least_chunks']} are needed"
    elif exact is not None:
        why += f"; by the exact overlap {told(exact, '')}"
    off = gain_at(dict(found), "neighbours", "off")
    if off is not None:
        why += f"; over the same model switched off {told(off, '')}"
    return Claim(
        id="not-only-copying",
        name="the gain is not only copying",
        statement="A model with retrieval is still better on chunks with at most 8 of 64 tokens in common with their "
        "neighbours in the training data",
        source=f"{PAPER}, §2.6 and Figure 6: α = 12.5 %",
        published="better at α = 12.5 %, by less than on all chunks",
        ours=told(gain),
        verdict=verdict,
        why=why,
    )


def _neighbours(curve: Mapping[str, Any], comparable: bool) -> Claim:
    ks = curve["neighbours"]
    verdict, why = above_zero(curve["most_over_one"] if ks[-1] >= 4 and ks[0] == 1 else None, comparable)
    return Claim(
        id="more-neighbours",
        name="more neighbours help",
        statement="At evaluation more neighbours than in training help, up to ten and beyond",
        source=f"{PAPER}, Figure 1 (right): C4",
        published="k = 1 → 10: .84 → .82 at 172M, .67 → .66 at 7.5B",
        ours=f"k = {ks[0]} → {ks[-1]}: {told(curve['most_over_one'])}",
        verdict=verdict,
        why=why,
    )


def _off(cells: Sequence[Mapping[str, Any]], comparable: bool) -> Claim:
    gaps = [gap for cell in cells if (gap := cell["gains"]["off_against_same"]) is not None]
    verdicts = [within(gap, ROUNDING, comparable) for gap in gaps]
    order: tuple[Verdict, ...] = ("contradicted", "not at this scale", "reproduced")
    verdict, why = min(verdicts, key=lambda v: order.index(v[0]) if v[0] in order else -1) if verdicts else (
        "not measured", "no model was trained on the same tokens"
    )  # fmt: skip
    return Claim(
        id="off-is-the-baseline",
        name="switched off, it is the baseline",
        statement="A model that was trained with retrieval and has it switched off is as good as one that never had it",
        source=f"{PAPER}, Figure 1: RETRO[OFF] against the baseline, C4",
        published="equal to two digits at all sizes",
        ours="; ".join(f"width {cell['width']}: {told(cell['gains']['off_against_same'], '')}" for cell in cells),
        verdict=verdict,
        why=f"{why}; the baseline minus RETRO off. Around a frozen decoder the two are equal bit for bit (a test)",
    )


def _equal_flops(
    multipliers: Sequence[Mapping[str, Any]], gain: Mapping[str, Any] | None, comparable: bool, noise: float
) -> Claim:
    verdict, why = above_zero(gain, comparable, noise)
    ours = f"{told(gain)} at equal FLOPs, each at its best size"
    if multipliers:
        last = multipliers[-1]
        ours += f"; multiplier {shown_multiplier(last)}"
        why += f"; by the frontier without retrieval: {last['verdict']}"
    return Claim(
        id="worth-more-than-parameters",
        name="worth more than parameters",
        statement="Retrieval is worth more than parameters: it matches far larger models",
        source=f"{PAPER}, abstract and Table 15: 7.5B parameters against Jurassic-1 and Gopher on the Pile",
        published="as good as models of 25 times its parameters",
        ours=ours,
        verdict=verdict,
        why=why,
    )


def shown_multiplier(found: Mapping[str, Any]) -> str:
    """A multiplier as text; what lies outside the measured range as a bound."""
    estimate = found["multiplier"]
    if estimate["value"] is None:
        return str(found["bound"])
    low = "under range" if estimate["low"] is None else f"{estimate['low']:.2f}"
    high = "over range" if estimate["high"] is None else f"{estimate['high']:.2f}"
    return f"{estimate['value']:.2f} [{low}, {high}]"
