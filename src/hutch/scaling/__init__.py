"""Scaling laws: FLOP accounting, the three approaches of Hoffmann et al. 2022, and intervals on all they
give.

Losses are in nats per token, N in parameters, D in tokens, C in FLOP.
"""

from hutch.scaling.curves import Curve, smooth
from hutch.scaling.fits.allocation import Allocation, Optimum
from hutch.scaling.fits.envelope import EnvelopeFit, fit_envelope
from hutch.scaling.fits.frontier import Frontier
from hutch.scaling.fits.parametric import fit_parametric
from hutch.scaling.fits.parametric_fit import ParametricFit
from hutch.scaling.fits.profiles import Profile, ProfilesFit, fit_profiles
from hutch.scaling.fits.restriction import FloorPrior
from hutch.scaling.flops import (
    flops_6nd,
    forward_operations,
    parameters,
    parameters_non_embedding,
    training_flops,
    training_flops_per_token,
    training_operations,
)
from hutch.scaling.intervals import Interval, paired_ratio_difference, percentile_interval
from hutch.scaling.laws import ParametricLaw, PowerLaw, fit_power_law
from hutch.scaling.published import PUBLISHED, PublishedLaw
from hutch.scaling.run_table import RunTable
from hutch.scaling.shapes import CHINCHILLA, CHINCHILLA_TABLE_A9, GOPHER, GOPHER_FAMILY, Shape

__all__ = [
    "CHINCHILLA",
    "CHINCHILLA_TABLE_A9",
    "GOPHER",
    "GOPHER_FAMILY",
    "PUBLISHED",
    "Allocation",
    "Curve",
    "EnvelopeFit",
    "FloorPrior",
    "Frontier",
    "Interval",
    "Optimum",
    "ParametricFit",
    "ParametricLaw",
    "PowerLaw",
    "Profile",
    "ProfilesFit",
    "PublishedLaw",
    "RunTable",
    "Shape",
    "fit_envelope",
    "fit_parametric",
    "fit_power_law",
    "fit_profiles",
    "flops_6nd",
    "forward_operations",
    "paired_ratio_difference",
    "parameters",
    "parameters_non_embedding",
    "percentile_interval",
    "smooth",
    "training_flops",
    "training_flops_per_token",
    "training_operations",
]
