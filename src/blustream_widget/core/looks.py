"""What the looks of all that lies over the slices share, labels and overlays, and its checks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec

from blustream_widget.errors import StateError

MAX_NAME = 64

Check: TypeAlias = Callable[[str, Any], Any]
"""Takes the name of the layer and a value; gives the value as it is kept, or raises StateError."""


class Look(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How something over the slices is drawn.

    Parameters
    ----------
    name : str
        1 to MAX_NAME characters.
    visible : bool
    opacity : float
        0 to 1.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]
    visible: bool = True
    opacity: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.5


AnyLook = TypeVar("AnyLook", bound=Look)


def checked_looks(
    value: Any, kind: type[AnyLook], checks: Mapping[str, Check], *, most: int, word: str, hint: str
) -> tuple[AnyLook, ...]:
    """Check the looks of all layers of a kind; each may leave out fields, which are then as usual.

    Parameters
    ----------
    value : list or tuple
        Of looks, or of their fields by name.
    kind : type
        The struct of such a look.
    checks : mapping
        By name of field, without "name".
    most : int
        Layers that there may be.
    word, hint : str
        What one is called, and what to do where there are too many, for the error.

    Raises
    ------
    StateError
        Names the layer and the field.
    """
    if not isinstance(value, (list, tuple)) or len(value) > most:
        raise StateError(f"{word}s is not a list of at most {most} {word}s.", hint=hint)
    looks = tuple(_checked_look(one, kind, checks, word) for one in value)
    if len({look.name for look in looks}) != len(looks):
        raise StateError(f"Two {word}s have the same name.", hint="Give each its own.")
    return looks


def _checked_look(
    value: Any, kind: type[AnyLook], checks: Mapping[str, Check], word: str
) -> AnyLook:
    if isinstance(value, kind):
        value = msgspec.structs.asdict(value)
    known = kind.__struct_fields__
    if not isinstance(value, dict) or not value.keys() <= set(known):
        article = "An" if word[0] in "aeiou" else "A"
        raise StateError(f"{article} {word} is {value!r}.", hint=f"Its fields: {', '.join(known)}.")
    name = checked_name(value.get("name"))
    fields = {
        field: checks[field](name, given) for field, given in value.items() if field != "name"
    }
    return kind(name=name, **fields)


def checked_name(value: Any) -> str:
    """Check the name of what lies over the slices.

    Raises
    ------
    StateError
    """
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME or not value.strip():
        raise StateError(
            f"The name {value!r} is not a text of 1 to {MAX_NAME} characters.",
            hint='For example name="salt".',
        )
    return value


def bool_check(field: str) -> Check:
    """Check that a field is True or False."""

    def check(name: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise StateError(f"{field} of {name!r} = {value!r} is neither True nor False.")
        return value

    return check


def number_check(field: str, low: float, high: float, hint: str) -> Check:
    """Check that a field is a finite number, `low` and `high` included."""

    def check(name: str, value: Any) -> float:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value) or not low <= value <= high:
            raise StateError(f"{field} of {name!r} = {value!r} is out of range.", hint=hint)
        return float(value)

    return check


def choice_check(field: str, choices: tuple[str, ...]) -> Check:
    """Check that a field is one of some words."""

    def check(name: str, value: Any) -> str:
        for choice in choices:
            if value == choice:
                return choice
        raise StateError(
            f"{field} of {name!r} = {value!r} is none.", hint=f"There are: {', '.join(choices)}."
        )

    return check


check_opacity = number_check("opacity", 0, 1, "Give 0 to 1.")
