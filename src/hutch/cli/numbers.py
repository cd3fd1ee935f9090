"""Numbers as people type them: 3e12, 70B, 500k."""

import argparse
import math

SUFFIXES = {"k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "G": 1e9, "T": 1e12}


def number(text: str) -> float:
    """A finite number, with k, M, B or T for its thousands."""
    value = _value(text)
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number such as 3e12 or 70B")
    return value


def positive(text: str) -> float:
    """The same above 0."""
    value = _value(text)
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0 such as 5.76e23 or 70B")
    return value


def from_zero(text: str) -> float:
    """The same from 0."""
    value = _value(text)
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0")
    return value


def numbers(text: str) -> tuple[float, ...]:
    """Numbers between commas."""
    return tuple(number(part.strip()) for part in text.split(","))


def _value(text: str) -> float:
    """NaN where there is none."""
    scale = SUFFIXES.get(text[-1:], 1.0)
    try:
        return float(text[:-1] if scale != 1.0 else text) * scale
    except ValueError:
        return math.nan
