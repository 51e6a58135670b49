"""Windows worth one click, by what a volume is; the browser's menu has the same ones."""

from __future__ import annotations

from blustream_widget.core.state import auto_window
from blustream_widget.core.types import ABS_PERCENTILES, Channel, VolumeInfo

Range = tuple[float, float]
"""Window and level."""

CT_PRESETS: dict[str, Range] = {
    "Soft tissue": (400, 40),
    "Lung": (1500, -600),
    "Bone": (2500, 480),
    "Brain": (80, 40),
    "Abdomen": (350, 40),
    "Liver": (150, 90),
    "Mediastinum": (350, 50),
    "Subdural": (200, 75),
    "Stroke": (40, 40),
}
"""In HU; the customary names of CT reading rooms."""

# Names, and which of `PERCENTILES` are the ends.
_BETWEEN = {"0.1–99.9 %": (0, 12), "1–99 %": (1, 11), "5–95 %": (3, 9)}  # noqa: RUF001  a range


def is_ct(info: VolumeInfo, channel: Channel) -> bool:
    """Whether values are in HU: by their unit, or by their range in a medical volume."""
    if channel.unit == "HU":
        return True
    return info.kind == "medical" and channel.value_min <= -900 and channel.value_max >= 500


def is_signed(info: VolumeInfo, channel: Channel) -> bool:
    """Whether values are amplitudes: on both sides of zero, looked at symmetrically."""
    return (
        info.kind != "medical"
        and not channel.is_label
        and channel.value_min < 0 < channel.value_max
        and len(channel.abs_percentiles) > 2
        and channel.abs_percentiles[2] > 0
    )


def presets_of(info: VolumeInfo, channel: Channel) -> dict[str, Range]:
    """Window and level by name, "Auto" first, the others in the order of Shift+1 to Shift+9."""
    auto = {"Auto": auto_window(channel, symmetric=info.kind == "seismic")}
    if is_ct(info, channel):
        return auto | CT_PRESETS
    if is_signed(info, channel):
        sizes = sorted(zip(ABS_PERCENTILES, channel.abs_percentiles, strict=False))
        return auto | {_percent(p): (2 * size, 0.0) for p, size in sizes if size > 0}
    found: dict[str, Range] = {}
    for name, (low, high) in _BETWEEN.items():
        if not channel.is_label and len(channel.percentiles) > high:
            found |= _between(name, channel.percentiles[low], channel.percentiles[high])
    return auto | found | _between("Full range", channel.value_min, channel.value_max)


def _percent(percent: float) -> str:
    return "Full range" if percent == 100 else f"p{percent:g}"


def _between(name: str, low: float, high: float) -> dict[str, Range]:
    return {name: (high - low, (low + high) / 2)} if high > low else {}
