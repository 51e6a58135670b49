"""How a view of several panes changes, and what each of them shows.

The fields of `ViewState` are those of the active pane. `ViewState.panes` holds all of them, the
active one too, and is kept in step here; it is empty while there is one pane alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from blustream_widget.core.layouts import (
    PANE_FIELDS,
    PaneState,
    cells_of,
    pack,
    pane_sizes_of,
    panes_of,
    with_shared,
)
from blustream_widget.core.motion import motion_size
from blustream_widget.core.types import VolumeInfo
from blustream_widget.errors import StateError

if TYPE_CHECKING:
    from blustream_widget.core.state import ViewState

_SHARE_MIN, _SHARE_MAX = 0.02, 1.0
_ALONE: dict[str, Any] = {
    "layout": "single",
    "panes": (),
    "pane_sizes": (),
    "active": 0,
    "linked": True,
    "maximised": False,
    "columns": (),
    "rows": (),
}
"""Values of the fields that only several panes have."""

PANES_FIELDS = frozenset(_ALONE)

Views = tuple[tuple[int, "ViewState"], ...]


def pane_of(state: ViewState) -> PaneState:
    """Give the active pane."""
    return PaneState(**{name: getattr(state, name) for name in PANE_FIELDS})


def views_of(state: ViewState) -> Views:
    """Panes that are drawn, each by its number and as a view of one pane alone.

    A pane whose size is (0, 0) has no place on the page.
    """
    if not state.panes:
        return ((0, state),)
    shown = [
        (index, view_of(state, index))
        for index, size in enumerate(state.pane_sizes)
        if index == state.active or (size[0] and not state.maximised)
    ]
    return tuple(shown)


def view_of(state: ViewState, index: int) -> ViewState:
    """Pane `index` as a view of one pane alone."""
    if not state.panes:
        return state
    pane = state.panes[index]
    width_px, height_px = state.pane_sizes[index]
    fields = {name: getattr(pane, name) for name in PANE_FIELDS}
    return msgspec.structs.replace(
        state, **_ALONE, **fields, width_px=width_px, height_px=height_px
    )


def picture_size(state: ViewState, scale: float = 1.0) -> tuple[int, int]:
    """Size of the picture of all panes that are drawn, also while it moves at `scale`."""
    if not state.panes:
        return motion_size(state.width_px, state.height_px, scale)
    shown = (view for _, view in views_of(state))
    sizes = tuple(motion_size(view.width_px, view.height_px, scale) for view in shown)
    packing = pack(sizes)
    return packing.width, packing.height


def change_panes(state: ViewState, values: dict[str, Any], info: VolumeInfo) -> ViewState:
    """Apply checked values to a view that has several panes, or comes to have them.

    Raises
    ------
    StateError
        A pane that does not exist, or sizes that do not fit in one picture.
    """
    layout = values.get("layout", state.layout)
    if layout != state.layout:
        state = _laid_out(state, layout, info)
    _check_counts(state, values)
    for name in ("linked", "maximised", "columns", "rows", "pane_sizes"):
        if name in values:
            state = msgspec.structs.replace(state, **{name: values[name]})
    panes = values.get("panes")
    if isinstance(panes, dict):
        for index, fields in panes.items():
            state = _with_fields(state, index, fields, info)
    elif panes is not None:
        state = msgspec.structs.replace(state, panes=panes)
    if "active" in values or panes is not None:
        state = _load(state, values.get("active", state.active))
    alone = {name: value for name, value in values.items() if name not in PANES_FIELDS}
    return _kept_in_step(msgspec.structs.replace(state, **alone), alone)


def _with_fields(
    state: ViewState, index: int, fields: dict[str, Any], info: VolumeInfo
) -> ViewState:
    """Change fields of one pane; what linked panes share they take over."""
    now = pane_of(view_of(state, index).with_patch(fields, info))
    panes = [with_shared(pane, now) if state.linked else pane for pane in state.panes]
    panes[index] = now
    return _load(msgspec.structs.replace(state, panes=tuple(panes)), state.active)


def _laid_out(state: ViewState, layout: str, info: VolumeInfo) -> ViewState:
    before = state.panes or (pane_of(state),)
    panes, active, linked = panes_of(layout, info, before, state.active)
    whole = _whole_of(state)
    sizes = pane_sizes_of(layout, whole) if panes else ()
    width_px, height_px = sizes[active] if panes else whole
    return msgspec.structs.replace(
        state,
        layout=layout,
        # Planes that are linked show where they meet; one alone has no need of it.
        crosshair=state.crosshair or layout in ("orthogonal", "quad"),
        panes=panes,
        pane_sizes=sizes,
        active=active,
        linked=linked,
        maximised=False,
        columns=(),
        rows=(),
        width_px=width_px,
        height_px=height_px,
        **_fields_of(panes[active] if panes else before[state.active]),
    )


def _whole_of(state: ViewState) -> tuple[int, int]:
    """Give about the size that all panes together have on the page."""
    if not state.panes or state.maximised:
        return state.width_px, state.height_px
    columns, rows, _ = cells_of(state.layout)
    width, height = state.pane_sizes[0]
    if state.layout == "orthogonal":
        rows = 1  # its first pane has the whole height
    return max(width * columns, 16), max(height * rows, 16)


def _check_counts(state: ViewState, values: dict[str, Any]) -> None:
    n, cells = max(len(state.panes), 1), cells_of(state.layout)
    active = values.get("active", 0)
    if active >= n:
        raise StateError(
            f"There is no pane {active} in the layout {state.layout!r}.",
            hint=f"It has {n}, counted from 0.",
        )
    panes = values.get("panes")
    n_panes = len(state.panes)  # none where one view has the whole picture
    if isinstance(panes, dict) and (unknown := [index for index in panes if index >= n_panes]):
        raise StateError(
            f"There is no pane {unknown[0]} in the layout {state.layout!r}.",
            hint=f"It has {n_panes}, counted from 0." if n_panes else "Set the view's own fields.",
        )
    lengths = {"pane_sizes": len(state.panes)}
    lengths |= {} if isinstance(panes, dict) else {"panes": len(state.panes)}
    lengths |= {"columns": cells.columns, "rows": cells.rows}
    for name, length in lengths.items():
        given = values.get(name, ())
        may_be_empty = name in ("columns", "rows")
        if name in values and len(given) != length and not (may_be_empty and not given):
            raise StateError(
                f"{name} has {len(given)} entries.",
                hint=f"The layout {state.layout!r} has {length} of them.",
            )


def _load(state: ViewState, active: int) -> ViewState:
    """Make a pane the active one: the fields of the view are its fields."""
    if not state.panes:
        return state
    width_px, height_px = state.pane_sizes[active]
    size = {"width_px": width_px, "height_px": height_px} if width_px else {}
    fields = _fields_of(state.panes[active])
    return msgspec.structs.replace(state, active=active, **fields, **size)


def _kept_in_step(state: ViewState, changed: dict[str, Any]) -> ViewState:
    """Write the active pane's fields back into the list, and what linked panes share into all."""
    if not state.panes:
        return msgspec.structs.replace(state, **_ALONE)
    now = pane_of(state)
    panes = [with_shared(pane, now) if state.linked else pane for pane in state.panes]
    panes[state.active] = now
    sizes = list(state.pane_sizes)
    if not ("width_px" in changed or "height_px" in changed) and sizes[state.active][0]:
        width_px, height_px = sizes[state.active]
        state = msgspec.structs.replace(state, width_px=width_px, height_px=height_px)
    sizes[state.active] = (state.width_px, state.height_px)
    state = msgspec.structs.replace(state, panes=tuple(panes), pane_sizes=tuple(sizes))
    picture_size(state)  # refuses what does not fit
    return state


def _fields_of(pane: PaneState) -> dict[str, Any]:
    return {name: getattr(pane, name) for name in PANE_FIELDS}


# ---------------------------------------------------------------- checks of single values


def checked_layout(value: Any) -> str:
    """Check the name of a layout."""
    if not isinstance(value, str):
        raise StateError(f"layout = {value!r} is not a name.", hint="For example 'orthogonal'.")
    cells_of(value)
    return value


def checked_shares(name: str, value: Any) -> tuple[float, ...]:
    """Check the widths of columns or the heights of rows, as shares of the whole."""
    if not isinstance(value, (list, tuple)):
        raise StateError(f"{name} = {value!r} is not a list of shares.")
    for share in value:
        is_number = isinstance(share, (int, float)) and not isinstance(share, bool)
        if not is_number or not _SHARE_MIN <= share <= _SHARE_MAX:
            raise StateError(
                f"{name} = {value!r} has a share that cannot be.",
                hint=f"Allowed: {_SHARE_MIN:g} to {_SHARE_MAX:g} each.",
            )
    return tuple(float(share) for share in value)
