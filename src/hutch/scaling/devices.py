"""Accelerators: what they compute, hold and cost, and what a FLOP costs on them."""

from dataclasses import dataclass

from hutch.runs.errors import BadInput
from hutch.scaling.columns import positive_number

_HOUR = 3600.0


@dataclass(frozen=True, kw_only=True)
class Device:
    """One accelerator as its vendor's data sheet has it.

    Peak rates are dense (no structured sparsity), FLOP/s at 16 bits (bfloat16, accumulated in float32) and
    operations/s at 8 bits (fp8 or int8, whichever the sheet gives). `memory_bytes` takes the sheet's GB as 1e9
    bytes. `dollars_per_hour` is a default price of hire, None where no source of ours gives one.
    """

    name: str
    peak_16bit: float
    peak_8bit: float
    memory_bytes: int
    dollars_per_hour: float | None = None
    source: str

    def peak(self, bits: int) -> float:
        """Operations per second at 16 or 8 bits."""
        if bits not in (8, 16):
            raise BadInput(f"bits is {bits!r}; 8 or 16 is needed")
        return self.peak_16bit if bits == 16 else self.peak_8bit

    def as_dict(self) -> dict[str, str | float | None]:
        return {
            "name": self.name,
            "peak_16bit": self.peak_16bit,
            "peak_8bit": self.peak_8bit,
            "memory_bytes": self.memory_bytes,
            "dollars_per_hour": self.dollars_per_hour,
            "source": self.source,
        }


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Hired hardware at work: dollars per hour, peak FLOP/s, and the share of the peak that is reached."""

    dollars_per_hour: float
    peak: float
    utilisation: float

    def __post_init__(self) -> None:
        positive_number("dollars_per_hour", self.dollars_per_hour)
        positive_number("peak", self.peak)
        if not 0 < self.utilisation <= 1:
            raise BadInput(f"utilisation is {self.utilisation}; a share above 0 and up to 1 is needed")

    @classmethod
    def of(cls, device: Device, *, utilisation: float, bits: int = 16, dollars_per_hour: float | None = None) -> "Rate":
        """`device` at 16 or 8 bits, at its default price unless another is given; `BadInput` where neither is."""
        price = device.dollars_per_hour if dollars_per_hour is None else dollars_per_hour
        if price is None:
            raise BadInput(f"{device.name} has no default price; give dollars_per_hour")
        return cls(dollars_per_hour=price, peak=device.peak(bits), utilisation=utilisation)

    @property
    def dollars_per_flop(self) -> float:
        """Price of one FLOP that is put to use."""
        return self.dollars_per_hour / (_HOUR * self.peak * self.utilisation)


TRAINING_UTILISATION = 0.5
PREFILL_UTILISATION = 0.5
DECODE_UTILISATION = 0.01
"""Default shares of the peak in Sardana et al. 2024 (arXiv:2401.00448)."""

_PRICED = "; price: default of Sardana et al. 2024 (arXiv:2401.00448)"

DEVICES: dict[str, Device] = {
    "a100-40gb": Device(
        name="NVIDIA A100 40 GB",
        peak_16bit=312e12,
        peak_8bit=624e12,
        memory_bytes=40 * 10**9,
        dollars_per_hour=1.10,
        source="NVIDIA A100 data sheet" + _PRICED,
    ),
    "a100-80gb": Device(
        name="NVIDIA A100 80 GB",
        peak_16bit=312e12,
        peak_8bit=624e12,
        memory_bytes=80 * 10**9,
        dollars_per_hour=1.50,
        source="NVIDIA A100 data sheet" + _PRICED,
    ),
    "h100": Device(
        name="NVIDIA H100 SXM 80 GB",
        peak_16bit=989e12,
        peak_8bit=1979e12,
        memory_bytes=80 * 10**9,
        dollars_per_hour=2.00,
        source="NVIDIA H100 data sheet, its sparse rates halved" + _PRICED,
    ),
    "h200": Device(
        name="NVIDIA H200 SXM 141 GB",
        peak_16bit=989e12,
        peak_8bit=1979e12,
        memory_bytes=141 * 10**9,
        source="NVIDIA H200 data sheet, its sparse rates halved",
    ),
    "b200": Device(
        name="NVIDIA B200 SXM 180 GB",
        peak_16bit=2250e12,
        peak_8bit=4500e12,
        memory_bytes=180 * 10**9,
        source="NVIDIA HGX B200 data sheet, one of eight, its sparse rates halved",
    ),
    "tpu-v4": Device(
        name="Google TPU v4",
        peak_16bit=275e12,
        peak_8bit=275e12,
        memory_bytes=32 * 10**9,
        source="Google Cloud TPU v4 documentation",
    ),
    "tpu-v5e": Device(
        name="Google TPU v5e",
        peak_16bit=197e12,
        peak_8bit=393e12,
        memory_bytes=16 * 10**9,
        source="Google Cloud TPU v5e documentation",
    ),
    "tpu-v5p": Device(
        name="Google TPU v5p",
        peak_16bit=459e12,
        peak_8bit=918e12,
        memory_bytes=95 * 10**9,
        source="Google Cloud TPU v5p documentation",
    ),
    "rtx-4090": Device(
        name="NVIDIA RTX 4090",
        peak_16bit=165.2e12,
        peak_8bit=660.6e12,
        memory_bytes=24 * 10**9,
        source="NVIDIA Ada GPU architecture white paper: bfloat16 accumulated in float32; int8",
    ),
    "mi300x": Device(
        name="AMD Instinct MI300X",
        peak_16bit=1307.4e12,
        peak_8bit=2614.9e12,
        memory_bytes=192 * 10**9,
        source="AMD Instinct MI300X data sheet",
    ),
}
"""By key, as the command line names them."""
