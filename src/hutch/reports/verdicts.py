"""The four verdicts on a claim, and how each is shown: always a sign and the word, colour only besides."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """One verdict: its sign, its class in `page.css`, its rich style on a terminal."""

    sign: str
    page: str
    terminal: str


VERDICTS = {
    "reproduced": Look("✓", "good", "green"),
    "not at this scale": Look("≈", "scale", "yellow"),
    "contradicted": Look("✗", "bad", "red"),
    "not measured": Look("–", "none", "dim"),
}


def look(verdict: str) -> Look:
    """How to show `verdict`; an unknown word is shown as it stands, with a question mark."""
    return VERDICTS.get(verdict, Look("?", "none", "dim"))
