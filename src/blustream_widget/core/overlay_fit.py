"""Range and colours that suit the values of an overlay, where its user chose none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from blustream_widget.core.overlay import OverlayLook
from blustream_widget.core.state import auto_window
from blustream_widget.core.types import Channel, Kind

# Noise below zero does not make a map of two signs: the smaller end, as a share of the larger one.
_SIGNED = 0.1


def fitted(look: OverlayLook, channel: Channel, kind: Kind, fit: Iterable[str]) -> OverlayLook:
    """Choose what of a look is asked for.

    Values of both signs get a range around zero and a map with a neutral middle; others their own
    range and, over medical images, the hot map that is the custom there.

    Parameters
    ----------
    look : OverlayLook
    channel : Channel
        Of the overlay.
    kind : Kind
        Of the shown volume.
    fit : iterable of str
        "range", "colormap" or both.
    """
    is_signed = min(-channel.value_min, channel.value_max) > _SIGNED * max(
        -channel.value_min, channel.value_max
    )
    fields: dict[str, Any] = {}
    if "range" in fit:
        window, level = auto_window(channel, symmetric=is_signed)
        fields |= {"window": window, "level": level}
    if "colormap" in fit:
        fields["colormap"] = "vik" if is_signed else "hot" if kind == "medical" else "viridis"
    return msgspec.structs.replace(look, **fields)
