"""Fits as JSON with their draws, so that a plan made tomorrow, or elsewhere, has the same intervals."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from hutch.runs.atomic import write_text
from hutch.runs.errors import BadInput
from hutch.scaling.fits.allocation import Allocation
from hutch.scaling.fits.envelope import EnvelopeFit
from hutch.scaling.fits.frontier import Frontier
from hutch.scaling.fits.parametric_fit import ParametricFit
from hutch.scaling.fits.profiles import Profile, ProfilesFit
from hutch.scaling.intervals import Interval
from hutch.scaling.laws import ParametricLaw

Fit = ParametricFit | ProfilesFit | EnvelopeFit
FORMAT = 1
_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (ParametricFit, ProfilesFit, EnvelopeFit, Profile, Allocation, Frontier, Interval, ParametricLaw)
}


def fit_to_json(fit: Fit) -> dict[str, Any]:
    """The whole fit, draws included, as JSON can hold it; `fit_from_json` gives it back equal to the last bit."""
    return {"hutch_fit": FORMAT, "fit": _encode(fit)}


def fit_from_json(document: Any) -> Fit:
    """The inverse of `fit_to_json`; `BadInput` for anything else."""
    if not isinstance(document, dict) or "hutch_fit" not in document:
        raise BadInput("not a saved fit: hutch fit TABLE --save FILE.json writes one")
    if document["hutch_fit"] != FORMAT:
        raise BadInput(f"a fit saved in format {document['hutch_fit']!r}; this version reads format {FORMAT}")
    try:
        fit = _decode(document["fit"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"a damaged fit: {error}") from error
    if not isinstance(fit, Fit):
        raise BadInput(f"a damaged fit: it holds {type(fit).__name__}")
    return fit


def save_fit(fit: Fit, path: Path) -> None:
    """Write the fit to `path`, whole or not at all."""
    write_text(Path(path), json.dumps(fit_to_json(fit), allow_nan=False) + "\n")


def load_fit(path: Path | str) -> Fit:
    """Read a fit that `save_fit` wrote; `BadInput` names the file and what is wrong with it."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}") from error
    except ValueError as error:
        raise BadInput(f"{path} is not JSON; hutch fit TABLE --save FILE.json writes a fit") from error
    try:
        return fit_from_json(document)
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error


def _encode(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: _encode(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"kind": type(value).__name__, **fields}
    if isinstance(value, np.ndarray):
        return {"kind": "array", "dtype": value.dtype.name, "shape": list(value.shape), "values": _flat(value)}
    if isinstance(value, tuple | list):
        return [_encode(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        # JSON has no NaN and no infinity.
        return {"kind": "number", "value": repr(value)}
    return value


def _flat(array: np.ndarray) -> list[Any]:
    if array.dtype.kind != "f":
        return array.ravel().tolist()
    return [number if math.isfinite(number) else repr(number) for number in array.ravel().tolist()]


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_decode(item) for item in value)
    if not isinstance(value, dict):
        return value
    kind = value["kind"]
    if kind == "number":
        return float(value["value"])
    if kind == "array":
        flat = value["values"]
        numbers = [float(item) for item in flat] if value["dtype"].startswith("float") else flat
        return np.array(numbers, dtype=value["dtype"]).reshape(value["shape"])
    return _KINDS[kind](**{name: _decode(item) for name, item in value.items() if name != "kind"})
