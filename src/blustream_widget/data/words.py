"""What the user says of a volume wins over what its file says."""

from __future__ import annotations

import msgspec
import numpy as np

from blustream_widget.core.time_axis import TimeAxis, time_axis
from blustream_widget.core.types import Axis, Kind, VolumeInfo, VolumeRef
from blustream_widget.data.memory_info import AXIS_NAMES
from blustream_widget.data.patient import patient_axes
from blustream_widget.errors import ConfigError


def with_user_words(info: VolumeInfo, ref: VolumeRef) -> VolumeInfo:
    """Let what the user said of a volume win over what the file says."""
    axes = list(info.axes)
    kind = _kind(info, ref)
    if kind != info.kind and ref.axis_names is None:
        axes = [
            msgspec.structs.replace(a, name=n) for a, n in zip(axes, AXIS_NAMES[kind], strict=True)
        ]
    if ref.affine is not None and kind == "medical":
        axes = list(patient_axes(info.shape, ref.affine))
    elif ref.affine is not None:
        axes = _placed(axes, ref.affine, kind)
    if ref.axis_names is not None:
        axes = [
            msgspec.structs.replace(a, name=n) for a, n in zip(axes, ref.axis_names, strict=True)
        ]
    if ref.spacing is not None:
        axes = [
            msgspec.structs.replace(a, spacing=s) for a, s in zip(axes, ref.spacing, strict=True)
        ]
    channels = info.channels
    if ref.unit:
        channels = (msgspec.structs.replace(channels[0], unit=ref.unit), *channels[1:])
    return msgspec.structs.replace(
        info,
        time=_time(info, ref),
        name=ref.name or info.name,
        kind=kind,
        axes=(axes[0], axes[1], axes[2]),
        channels=channels,
        affine=ref.affine or info.affine,
        world_unit="mm" if ref.affine is not None and kind == "medical" else info.world_unit,
    )


def _time(info: VolumeInfo, ref: VolumeRef) -> TimeAxis | None:
    """Describe the steps as the file has them, with the times, names and unit that the user gave.

    Raises
    ------
    ConfigError
        They do not fit the steps, or there are none.
    """
    said, time = ref.times or ref.time_names or ref.time_unit, info.time
    if time is None:
        if said:
            raise ConfigError(
                f"{info.name} has no time axis, which times and time_unit would be of.",
                hint="A series is a file or array with four axes, or a list of volumes.",
            )
        return None
    if ref.times:
        time = time_axis(time.n, ref.times, ref.time_unit, time.name)
    elif ref.time_unit:
        time = msgspec.structs.replace(time, unit=ref.time_unit)
    if ref.time_names and len(ref.time_names) != time.n:
        raise ConfigError(
            f"times has {len(ref.time_names)} entries, and {info.name} has {time.n} steps.",
            hint="Give one for each step, or none.",
        )
    return msgspec.structs.replace(time, names=ref.time_names)


def _placed(axes: list[Axis], affine: tuple[float, ...], kind: Kind) -> list[Axis]:
    spacings = np.linalg.norm(np.reshape(affine, (4, 4))[:3, :3], axis=0)
    placed = [
        msgspec.structs.replace(a, spacing=float(s)) for a, s in zip(axes, spacings, strict=True)
    ]
    if kind == "seismic" and affine[10]:
        # What lies upright to a survey's map is the sample's own number.
        placed[2] = msgspec.structs.replace(placed[2], step=affine[10], first=affine[11])
    return placed


def _kind(info: VolumeInfo, ref: VolumeRef) -> Kind:
    if ref.kind is not None:
        return ref.kind
    # Who has an affine of an array has it from a scanner, as a rule; anything else can be said.
    return "medical" if ref.affine is not None and info.kind == "generic" else info.kind
