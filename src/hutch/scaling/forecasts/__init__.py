"""When the compute for transformative models could be afforded: bio anchors.

    forecast(preset("best-guess"))        the probability of each year, with the median
    forecasts(config, laws)               several data laws over the same draws; difference(a, b)
    document(config, exponent=...)        all that `hutch forecast` says, for JSON

Cotra 2020, read through public re-implementations; `guesses(config)` lists what nobody has checked.
"""

from hutch.scaling.forecasts.anchors import ANCHORS, Anchor
from hutch.scaling.forecasts.configuration import PRESETS, ForecastConfig, preset
from hutch.scaling.forecasts.distributions import Normal, normal_90
from hutch.scaling.forecasts.document import document
from hutch.scaling.forecasts.forecast import Difference, Forecast, difference, forecast, forecasts
from hutch.scaling.forecasts.guesses import guesses
from hutch.scaling.forecasts.requirements import DataLaw

__all__ = [
    "ANCHORS",
    "PRESETS",
    "Anchor",
    "DataLaw",
    "Difference",
    "Forecast",
    "ForecastConfig",
    "Normal",
    "difference",
    "document",
    "forecast",
    "forecasts",
    "guesses",
    "normal_90",
    "preset",
]
