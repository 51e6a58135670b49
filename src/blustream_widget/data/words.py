"""What the user says of a volume wins over what its file says."""

from __future__ import annotations

import msgspec

from blustream_widget.core.types import VolumeInfo, VolumeRef
from blustream_widget.data.memory_info import AXIS_NAMES


def with_user_words(info: VolumeInfo, ref: VolumeRef) -> VolumeInfo:
    """Let what the user said of a volume win over what the file says."""
    axes = list(info.axes)
    if ref.kind is not None and ref.kind != info.kind and ref.axis_names is None:
        axes = [
            msgspec.structs.replace(a, name=n)
            for a, n in zip(axes, AXIS_NAMES[ref.kind], strict=True)
        ]
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
        name=ref.name or info.name,
        kind=ref.kind or info.kind,
        axes=(axes[0], axes[1], axes[2]),
        channels=channels,
    )
