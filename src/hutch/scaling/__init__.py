"""Scaling laws: FLOP accounting, the three approaches of Hoffmann et al. 2022 with intervals on all they give, and the
laws beside them. Plans and forecasts are in `hutch.scaling.plans` and `hutch.scaling.forecasts`.

Losses are in nats per token, N in parameters, D in tokens, C in FLOP.
"""

from hutch.scaling.curves import Curve, smooth
from hutch.scaling.devices import DEVICES, Device, Rate
from hutch.scaling.fits.allocation import Allocation, Optimum
from hutch.scaling.fits.downstream import DownstreamFit, fit_downstream
from hutch.scaling.fits.envelope import EnvelopeFit, fit_envelope
from hutch.scaling.fits.frontier import Frontier
from hutch.scaling.fits.holdout import Holdout, hold_out_envelope, hold_out_parametric, hold_out_profiles
from hutch.scaling.fits.parametric import fit_parametric
from hutch.scaling.fits.parametric_fit import ParametricFit
from hutch.scaling.fits.profiles import Profile, ProfilesFit, fit_profiles
from hutch.scaling.fits.repetition import RepetitionFit, fit_repetition
from hutch.scaling.fits.restriction import FloorPrior
from hutch.scaling.fits.saved import load_fit, save_fit
from hutch.scaling.flops import (
    flops_6nd,
    forward_operations,
    parameters,
    parameters_non_embedding,
    training_flops,
    training_flops_per_token,
    training_operations,
)
from hutch.scaling.inference import InferenceOptimum, inference_optimum
from hutch.scaling.inference_costs import CostOptimum, cost_optimum
from hutch.scaling.intervals import Interval, paired_ratio_difference, percentile_interval
from hutch.scaling.kaplan import KAPLAN_LAWS, KaplanLaws, local_exponent
from hutch.scaling.laws import ParametricLaw, PowerLaw, fit_power_law
from hutch.scaling.overtraining import DownstreamLaw, OverTrainingLaw
from hutch.scaling.published import LAWS, PUBLISHED
from hutch.scaling.published_law import PublishedLaw
from hutch.scaling.repetition import MUENNIGHOFF, RepeatedDataLaw, RepeatedOptimum
from hutch.scaling.run_table import RunTable
from hutch.scaling.shapes import CHINCHILLA, CHINCHILLA_TABLE_A9, GOPHER, GOPHER_FAMILY, Shape
from hutch.scaling.tables import TableReading, read_runs

__all__ = [
    "CHINCHILLA",
    "CHINCHILLA_TABLE_A9",
    "DEVICES",
    "GOPHER",
    "GOPHER_FAMILY",
    "KAPLAN_LAWS",
    "LAWS",
    "MUENNIGHOFF",
    "PUBLISHED",
    "Allocation",
    "CostOptimum",
    "Curve",
    "Device",
    "DownstreamFit",
    "DownstreamLaw",
    "EnvelopeFit",
    "FloorPrior",
    "Frontier",
    "Holdout",
    "InferenceOptimum",
    "Interval",
    "KaplanLaws",
    "Optimum",
    "OverTrainingLaw",
    "ParametricFit",
    "ParametricLaw",
    "PowerLaw",
    "Profile",
    "ProfilesFit",
    "PublishedLaw",
    "Rate",
    "RepeatedDataLaw",
    "RepeatedOptimum",
    "RepetitionFit",
    "RunTable",
    "Shape",
    "TableReading",
    "cost_optimum",
    "fit_downstream",
    "fit_envelope",
    "fit_parametric",
    "fit_power_law",
    "fit_profiles",
    "fit_repetition",
    "flops_6nd",
    "forward_operations",
    "hold_out_envelope",
    "hold_out_parametric",
    "hold_out_profiles",
    "inference_optimum",
    "load_fit",
    "local_exponent",
    "paired_ratio_difference",
    "parameters",
    "parameters_non_embedding",
    "percentile_interval",
    "read_runs",
    "save_fit",
    "smooth",
    "training_flops",
    "training_flops_per_token",
    "training_operations",
]
