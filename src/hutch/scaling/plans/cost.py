"""What a run takes on hired devices: hours, days and money, and the compute that hours and money buy."""

import math
from dataclasses import dataclass

from hutch.runs.errors import BadInput
from hutch.scaling.columns import positive_number
from hutch.scaling.devices import DEVICES, Device
from hutch.scaling.plans.figures import FOLLOWS, GIVEN, Figure, scaled

ASSUMED_UTILISATION = 0.4
ASSUMED_DEVICE = "h100"
_HOUR, _DAY = 3600.0, 86400.0
MONTH_DAYS = 30


@dataclass(frozen=True, kw_only=True)
class Hire:
    """The devices: which, how many, how much of their peak is put to use, and what an hour of one costs."""

    key: str
    device: Device
    mfu: tuple[float, float]
    """Model FLOP over peak FLOP: the ends of a range, equal where one value was given."""
    assumed: bool
    """Whether nobody said the share."""
    count: int | None
    dollars_per_hour: float | None

    @property
    def middle(self) -> float:
        """The share that single figures are worked out with."""
        return (self.mfu[0] + self.mfu[1]) / 2

    @property
    def ranged(self) -> bool:
        return self.mfu[0] != self.mfu[1]

    def flops_per_hour(self, share: float) -> float:
        """Model FLOP of one device in an hour at a `share` of its 16-bit peak."""
        return _HOUR * self.device.peak_16bit * share

    def compute_of_hours(self, hours: float) -> Figure:
        """FLOP of `hours` device hours, with the ends that the range of mfu gives."""
        ends = [hours * self.flops_per_hour(share) for share in self.mfu]
        value = hours * self.flops_per_hour(self.middle)
        if not self.ranged:
            return Figure(value=value, reason=FOLLOWS)
        return Figure(value=value, low=ends[0], high=ends[1], reason=_of_range(self))

    def hours_of_dollars(self, dollars: float) -> float:
        """Device hours that `dollars` buy; `BadInput` where no price is known."""
        if self.dollars_per_hour is None:
            raise BadInput(f"{self.key} has no price of ours; give the dollars per hour of one with --price")
        return dollars / self.dollars_per_hour


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Time and money of a run; `days` only where a number of devices is given."""

    device: str
    device_name: str
    device_source: str
    peak: float
    """FLOP/s of one device at 16 bits, dense."""
    mfu: Figure
    dollars_per_hour: float | None
    devices: int | None
    gpu_hours: Figure
    dollars: Figure
    days: Figure
    devices_for_a_month: int
    """Devices that finish in 30 days."""


def hire(
    device: str | None, *, mfu: tuple[float, float] | None, count: int | None, dollars_per_hour: float | None
) -> Hire:
    """Checked; an H100 at 40 % of its peak where nothing is said. `BadInput` lists the devices there are."""
    key = (device or ASSUMED_DEVICE).lower()
    if key not in DEVICES:
        raise BadInput(f"there is no device {key!r}: choose one of {', '.join(DEVICES)}")
    low, high = mfu or (ASSUMED_UTILISATION, ASSUMED_UTILISATION)
    if not 0 < low <= high <= 1:
        raise BadInput(f"mfu is {low:g}:{high:g}; shares above 0 and up to 1 are needed, the lower first")
    if count is not None and count < 1:
        raise BadInput(f"devices is {count}; at least 1 is needed")
    price = DEVICES[key].dollars_per_hour
    if dollars_per_hour is not None:
        price = positive_number("price", dollars_per_hour)
    return Hire(key=key, device=DEVICES[key], mfu=(low, high), assumed=mfu is None, count=count, dollars_per_hour=price)


def cost_of(compute: Figure, hired: Hire, asked: str = "") -> Cost:
    """Hours, days and dollars of `compute` FLOP of training; `asked` names the one of them that was asked for.

    Their ends come from the range of mfu; where that is a point, from the interval of `compute`.
    """
    hours = _hours(compute, hired)
    paid = Figure.missing(f"{hired.key} has no price of ours; give --price")
    if hired.dollars_per_hour is not None:
        paid = scaled(hours, hired.dollars_per_hour)
    assert hours.value is not None  # compute has a value
    return Cost(
        device=hired.key,
        device_name=hired.device.name,
        device_source=hired.device.source,
        peak=hired.device.peak_16bit,
        mfu=_share(hired),
        dollars_per_hour=hired.dollars_per_hour,
        devices=hired.count,
        gpu_hours=_said(hours) if asked == "gpu_hours" else hours,
        dollars=_said(paid) if asked == "dollars" else paid,
        days=Figure.missing("give the number of devices with --devices")
        if hired.count is None
        else scaled(hours, _HOUR / _DAY / hired.count),
        devices_for_a_month=max(1, math.ceil(hours.value * _HOUR / (_DAY * MONTH_DAYS))),
    )


def _hours(compute: Figure, hired: Hire) -> Figure:
    assert compute.value is not None
    value = compute.value / hired.flops_per_hour(hired.middle)
    if hired.ranged and compute.level is None and compute.low is not None:
        return Figure(value=value, reason=FOLLOWS)  # hours or money were asked for, and the range moves compute
    if hired.ranged:
        low, high = (compute.value / hired.flops_per_hour(share) for share in reversed(hired.mfu))
        return Figure(value=value, low=low, high=high, reason=_of_range(hired))
    return scaled(compute, 1 / hired.flops_per_hour(hired.middle))


def _said(figure: Figure) -> Figure:
    return Figure(value=figure.value, reason=GIVEN)


def _share(hired: Hire) -> Figure:
    if hired.ranged:
        return Figure(value=hired.middle, low=hired.mfu[0], high=hired.mfu[1], reason="the range that was given")
    return Figure(value=hired.middle, reason="assumed" if hired.assumed else GIVEN)


def _of_range(hired: Hire) -> str:
    return f"from an mfu of {hired.mfu[0]:g} to {hired.mfu[1]:g}"
