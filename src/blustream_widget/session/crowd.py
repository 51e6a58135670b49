"""What people hear of each other where they are many: bounded for each, however many come."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from blustream_widget.core.sharing import SharedPerson

CROWD = 40
"""Above it a guest is told so many people by name, and how many more there are."""


def is_crowd(n_people: int) -> bool:
    """Whether there are too many for everybody to hear everything of all others."""
    return n_people > CROWD


def interval_s(least_s: float, n_people: int) -> float:
    """Give how often people may be told who is here: rarer, the more they are.

    So the bytes that are told in a second grow with the number of people, not with its square.
    """
    return least_s * max(1.0, n_people / CROWD)


def told_to_guests(people: Sequence[SharedPerson]) -> tuple[SharedPerson, ...]:
    """Give those of a crowd whom a guest hears of: first who does something, then who came first.

    How their pictures come is left out: it changes all the time, and says nothing to guests. A few
    people are told as they are.
    """
    if not is_crowd(len(people)):
        return tuple(people)

    def rank(person: SharedPerson) -> tuple[bool, bool, bool, bool, float]:
        only_looks = person.role == "viewer"
        does = (not person.drives, not person.in_call, only_looks, not person.asks)
        return (*does, person.since_ms)

    return tuple(without_link(person) for person in sorted(people, key=rank)[:CROWD])


def without_link(person: SharedPerson) -> SharedPerson:
    """Leave out how somebody's pictures come."""
    return msgspec.structs.replace(person, transport="", latency_ms=0.0)
