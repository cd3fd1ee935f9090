"""A fit saved and loaded is the same fit, to the last bit."""

import json
import pickle

import numpy as np
import pytest

from hutch.runs.errors import BadInput
from hutch.scaling.curves import Curve
from hutch.scaling.fits.envelope import fit_envelope
from hutch.scaling.fits.parametric import fit_parametric
from hutch.scaling.fits.profiles import fit_profiles
from hutch.scaling.fits.saved import fit_from_json, fit_to_json, load_fit, save_fit
from hutch.scaling.laws import ParametricLaw

from .test_valleys import sweep

EVEN = ParametricLaw(E=1.5, A=500.0, B=1500.0, alpha=0.36, beta=0.36)


def curves(sizes=6):
    found = []
    for n in np.geomspace(1e7, 1e9, sizes):
        tokens = np.linspace(1e7, 60 * n, 300)
        found.append(Curve(parameters=n, tokens=tokens, flops=6 * n * tokens, loss=EVEN.loss(n, tokens)))
    return found


FITS = {
    "parametric": lambda: fit_parametric(sweep(half_width=4, noise=3e-3), bootstraps=50),
    "no law": lambda: fit_parametric(sweep(half_width=4, noise=3e-3), bootstraps=0),
    "profiles": lambda: fit_profiles(sweep(half_width=4, noise=3e-3), bootstraps=50),
    "refused": lambda: fit_profiles(sweep(half_width=3, off=20.0), bootstraps=50),
    "envelope": lambda: fit_envelope(curves(), bootstraps=40),
}


@pytest.mark.parametrize("name", FITS)
def test_round_trip(name, tmp_path):
    fit = FITS[name]()
    save_fit(fit, tmp_path / "law.json")
    again = load_fit(tmp_path / "law.json")
    assert type(again) is type(fit)
    assert again == fit
    assert again != FITS["parametric" if name == "envelope" else "envelope"]()
    assert json.dumps(fit_to_json(again)) == json.dumps(fit_to_json(fit))
    if fit.allocation is not None:
        assert np.array_equal(again.allocation.draws, fit.allocation.draws, equal_nan=True)
        assert again.n_opt(1e22).as_dict() == fit.n_opt(1e22).as_dict()
    assert pickle.loads(pickle.dumps(fit)).as_dict() == fit.as_dict()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not json", "is not JSON"),
        ("[1, 2]", "not a saved fit"),
        ('{"hutch_fit": 99, "fit": {}}', "saved in format 99"),
        (
            '{"hutch_fit": 1, "fit": {"kind": "Interval", "value": 1, "low": 0, "high": 2, "level": 0.8}}',
            "holds Interval",
        ),
        ('{"hutch_fit": 1, "fit": {"kind": "os.system"}}', "damaged"),
        ('{"hutch_fit": 1, "fit": {"kind": "ParametricFit"}}', "damaged"),
    ],
)
def test_other_files_are_refused_by_name(text, words, tmp_path):
    path = tmp_path / "law.json"
    path.write_text(text)
    with pytest.raises(BadInput, match=words) as error:
        load_fit(path)
    assert str(error.value).startswith(str(path))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadInput, match=r"none\.json: No such file"):
        load_fit(tmp_path / "none.json")


def test_numbers_that_json_lacks_come_back():
    fit = fit_parametric(sweep(half_width=4, noise=3e-3), residuals="raw", delta=np.inf, bootstraps=0)
    document = json.loads(json.dumps(fit_to_json(fit), allow_nan=False))
    again = fit_from_json(document)
    assert again.delta == np.inf
    assert np.isnan(again.alpha.low)
