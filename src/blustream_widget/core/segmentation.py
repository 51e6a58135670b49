"""Labels that lie over the slices: how each volume of them looks, whence it comes, what it has."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Annotated, Any, Literal, TypeAlias, get_args

import msgspec

from blustream_widget.core import looks
from blustream_widget.core.colormaps import LABEL_PERIOD
from blustream_widget.core.looks import MAX_NAME
from blustream_widget.core.palettes import LABEL_STYLE, MAX_LABELS
from blustream_widget.core.types import Channel, VolumeRef
from blustream_widget.errors import StateError

MAX_SEGMENTATIONS = 8
LABEL_MIN, LABEL_MAX = -(2**31), 2**32 - 1
COLOR_STEP = 126
"""From the first colour of a segmentation to that of the next: the hues of its labels are turned by
46 degrees, so that those of eight segmentations go round the circle; saturation and brightness,
which change with period 9, stay."""

Style: TypeAlias = Literal["fill", "outline", "both"]
STYLES: tuple[Style, ...] = get_args(Style)
NewDtype: TypeAlias = Literal["uint8", "uint16"]
NEW_DTYPES: tuple[NewDtype, ...] = get_args(NewDtype)

_Name: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]


class SegmentationLook(looks.Look, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a segmentation is drawn; label 0 is never drawn.

    Parameters
    ----------
    name : str
        Of the segmentation, 1 to MAX_NAME characters.
    visible : bool
    opacity : float
        0 to 1, of the fill; of the outline where that is drawn alone. Beside a fill it is opaque.
    style : Style
    label_style : str
        Name of the user's colours and names of its labels (`core.palettes`); "" = none.
    hidden : tuple of int
        Labels that are not drawn.
    opacities : dict
        By label value, 0 to 1: a factor on what the label would have otherwise, as in 3D Slicer and
        OHIF; of the fill, and of the outline also where that is opaque. Those not in it have 1.
    first_color : int
        0 to LABEL_PERIOD - 1: label v has the usual colour of label v + `first_color`.
    """

    style: Style = "fill"
    label_style: Annotated[str, msgspec.Meta(max_length=64)] = ""
    hidden: Annotated[
        tuple[Annotated[int, msgspec.Meta(ge=LABEL_MIN, le=LABEL_MAX)], ...],
        msgspec.Meta(max_length=MAX_LABELS),
    ] = ()
    opacities: Annotated[
        dict[
            Annotated[int, msgspec.Meta(ge=LABEL_MIN, le=LABEL_MAX)],
            Annotated[float, msgspec.Meta(ge=0, le=1)],
        ],
        msgspec.Meta(max_length=MAX_LABELS),
    ] = msgspec.field(default_factory=dict)
    first_color: Annotated[int, msgspec.Meta(ge=0, lt=LABEL_PERIOD)] = 0


class SegmentationSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where what lies over the slices comes from: a channel of the shown volume, or a volume.

    Parameters
    ----------
    name : str
        No two segmentations or overlays of a view have the same one.
    ref : VolumeRef or None
        None: a channel of the shown volume.
    channel : int
        Of that volume.
    kind : str
        "labels" of a segmentation; "values" of an overlay (`core.overlay`).
    new : {"uint8", "uint16"} or None
        Nothing but 0, of this dtype, on the shown volume's grid; then `ref` is None.
    names : dict
        Of labels that are new.
    """

    name: _Name
    ref: VolumeRef | None = None
    channel: Annotated[int, msgspec.Meta(ge=0, le=4095)] = 0
    kind: Literal["labels", "values"] = "labels"
    new: NewDtype | None = None
    names: Annotated[
        dict[int, Annotated[str, msgspec.Meta(max_length=MAX_NAME)]],
        msgspec.Meta(max_length=MAX_LABELS),
    ] = {}


class LabelCount(msgspec.Struct, frozen=True):
    """What there is of one label.

    Parameters
    ----------
    value : int
    count : int
        Voxels of the segmentation at `SegmentationInfo.lod`.
    centre : tuple of float
        Mean place of its voxels, in voxel coordinates of the shown volume; can lie outside of it.
    mean, sd : float or None
        Of the shown volume's values under it; None where they were not asked for.
    """

    value: int
    count: int
    centre: tuple[float, float, float]
    mean: float | None = None
    sd: float | None = None


class SegmentationInfo(msgspec.Struct, frozen=True):
    """A segmentation or an overlay that is open; an overlay has no labels to count.

    Parameters
    ----------
    name : str
    channel : Channel
        Range, dtype, percentiles of its values, names of its labels.
    labels : tuple of LabelCount
        In the order of their values, without 0; empty until they are counted.
    is_counted : bool
    lod : int
        Level of detail that they were counted at: 0 is exact.
    voxel_volume : float
        Of one voxel at that level, in `volume_unit`.
    volume_unit : str
        "mm³", "m³", "m²·ms" …
    values_of : int or None
        Channel of the shown volume that mean and sd are of.
    """

    name: str
    channel: Channel
    labels: tuple[LabelCount, ...] = ()
    is_counted: bool = False
    lod: int = 0
    voxel_volume: float = 1.0
    volume_unit: str = ""
    values_of: int | None = None


def checked_looks(value: Any) -> tuple[SegmentationLook, ...]:
    """Check the looks of all segmentations; each may leave out fields, which are then as usual.

    Raises
    ------
    StateError
        Names the segmentation and the field.
    """
    return looks.checked_looks(
        value,
        SegmentationLook,
        _CHECKS,
        most=MAX_SEGMENTATIONS,
        word="segmentation",
        hint="Remove one that is not needed any more: viewer.remove_segmentation(name).",
    )


def free_first_color(looks: Iterable[SegmentationLook]) -> int:
    """Give the first colour of one more segmentation: the first that none of these starts with."""
    taken = {look.first_color for look in looks}
    return next(
        color
        for color in (n * COLOR_STEP % LABEL_PERIOD for n in itertools.count())
        if color not in taken
    )


def checked_new_labels(names: Any, dtype: Any) -> dict[int, str]:
    """Check the names of labels that are to be painted, and the dtype that holds them.

    Raises
    ------
    StateError
    """
    if dtype not in NEW_DTYPES:
        raise StateError(
            f"dtype = {dtype!r} cannot be painted on.", hint=f"There are: {', '.join(NEW_DTYPES)}."
        )
    most = {"uint8": 255, "uint16": 65535}[dtype]
    if not isinstance(names, dict) or len(names) > MAX_LABELS:
        raise StateError("names is not a dict of label and name.", hint='For example {1: "salt"}.')
    for label, name in names.items():
        is_whole = isinstance(label, int) and not isinstance(label, bool)
        if not is_whole or not 0 < label <= most:
            raise StateError(f"The label {label!r} is not a whole number from 1 to {most}.")
        if not isinstance(name, str) or len(name) > MAX_NAME:
            raise StateError(f"The name {name!r} is not a text of at most {MAX_NAME} characters.")
    return dict(names)


def _check_label_style(name: str, value: Any) -> str:
    if value == "" or (isinstance(value, str) and LABEL_STYLE.fullmatch(value)):
        return str(value)
    raise StateError(f"label_style of {name!r} = {value!r} names no style of labels.")


def _check_hidden(name: str, value: Any) -> tuple[int, ...]:
    if not isinstance(value, (list, tuple)) or len(value) > MAX_LABELS:
        raise StateError(
            f"hidden of {name!r} is not a list of at most {MAX_LABELS} labels.",
            hint="For example [3, 7].",
        )
    return tuple(sorted({_checked_label(name, label) for label in value}))


def _check_opacities(name: str, value: Any) -> dict[int, float]:
    if not isinstance(value, Mapping) or len(value) > MAX_LABELS:
        raise StateError(
            f"opacities of {name!r} is not a dict of at most {MAX_LABELS} labels.",
            hint="For example {3: 0.2}.",
        )
    checked: dict[int, float] = {}
    for key, factor in value.items():
        label = _checked_label(name, _label_of(key))
        checked[label] = looks.number_check(f"The opacity of label {label}", 0, 1, "Give 0 to 1.")(
            name, factor
        )
    # One state for one picture: what is as usual is not in it.
    return {label: checked[label] for label in sorted(checked) if checked[label] != 1}


def _check_first_color(name: str, value: Any) -> int:
    is_whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not is_whole or not 0 <= value < LABEL_PERIOD:
        raise StateError(
            f"first_color of {name!r} = {value!r} is not a whole number from 0 to "
            f"{LABEL_PERIOD - 1}.",
            hint="0 gives label 1 its usual colour, green.",
        )
    return int(value)


def _label_of(key: Any) -> Any:
    """Give a label of a dict that may come from JSON, whose keys are texts."""
    is_text = isinstance(key, str) and re.fullmatch(r"-?[0-9]{1,10}", key)
    return int(key) if is_text else key


def _checked_label(name: str, label: Any) -> int:
    is_whole = isinstance(label, Integral) and not isinstance(label, bool)
    if not is_whole or not LABEL_MIN <= label <= LABEL_MAX:
        raise StateError(f"The label {label!r} of {name!r} is not a whole number.")
    return int(label)


_CHECKS: dict[str, looks.Check] = {
    "visible": looks.bool_check("visible"),
    "opacity": looks.check_opacity,
    "style": looks.choice_check("style", STYLES),
    "label_style": _check_label_style,
    "hidden": _check_hidden,
    "opacities": _check_opacities,
    "first_color": _check_first_color,
}
