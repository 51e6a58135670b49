"""`blustream bench compare OLD NEW`: what became slower, beyond the noise that was measured."""

from __future__ import annotations

import argparse
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from blustream_widget.bench.numbers import Record
from blustream_widget.bench.report import load, table

# A change of less than three standard errors of the difference may be chance. Two runs differ by
# more than the rounds of one do (another place in memory, another neighbour), by 5 % say.
_ERRORS = 3.0
_AT_LEAST_PERCENT = 5.0
_HIGHER_IS_BETTER = frozenset({"fps", "hz", "db", "ssim", "per_s", "mb_per_s"})
_MEDIAN = re.compile(r"(?P<what>(?:.*_)?)median_(?P<unit>.+)")
_SAME_MACHINE = ("processor", "cores")

Verdict = Literal["worse", "better", "same"]


@dataclass(frozen=True, slots=True)
class Change:
    """One number of one case, then and now.

    Parameters
    ----------
    case : str
        The words of the record.
    number : str
        Name of the median, with its unit.
    old, new : float
    limit : float
        A smaller change is noise.
    """

    case: str
    number: str
    old: float
    new: float
    limit: float

    @property
    def verdict(self) -> Verdict:
        """Worse is more time or bytes, fewer frames, less quality."""
        change = self.new - self.old
        if abs(change) <= self.limit:
            return "same"
        unit = self.number.partition("median_")[2]
        return "better" if (change > 0) == (unit in _HIGHER_IS_BETTER) else "worse"

    def row(self) -> Record:
        """Row of the table."""
        percent = 100 * (self.new - self.old) / self.old if self.old else math.inf
        return {
            "case": self.case,
            "number": self.number,
            "old": self.old,
            "new": self.new,
            "change": f"{percent:+.1f} %",
            "noise": self.limit,
            "verdict": self.verdict,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """What could be compared, and what could not, in words."""

    changes: tuple[Change, ...]
    problems: tuple[str, ...]

    @property
    def is_worse(self) -> bool:
        """Whether anything regressed."""
        return any(change.verdict == "worse" for change in self.changes)


def compare(
    old: Sequence[Record], new: Sequence[Record], *, at_least_percent: float = _AT_LEAST_PERCENT
) -> Comparison:
    """Compare the medians of all cases that both have.

    Parameters
    ----------
    old, new : sequence of dict
        Records; the words of a record say which case it is.
    at_least_percent : float
        A smaller change is not told, however small the measured noise.
    """
    before, after = _by_case(old), _by_case(new)
    changes: list[Change] = []
    problems = [f"several records are called {case}" for case in (*_twice(old), *_twice(new))]
    problems += [f"only in the old file: {case}" for case in before if case not in after]
    problems += [f"only in the new file: {case}" for case in after if case not in before]
    for case, record in before.items():
        if case not in after:
            continue
        for found in _changes(case, record, after[case], at_least_percent):
            if isinstance(found, Change):
                changes.append(found)
            else:
                problems.append(found)
    return Comparison(tuple(changes), tuple(problems))


def other_machine(old: Record, new: Record) -> str:
    """Say in which way the machines differ; "" if it is the same one."""
    differences = [
        f"{key} {old.get(key)} and {new.get(key)}"
        for key in _SAME_MACHINE
        if old.get(key) != new.get(key)
    ]
    return ", ".join(differences)


def main(argv: Sequence[str]) -> int:
    """Print what changed. Returns 1 if something regressed, 2 if nothing could be compared.

    Raises
    ------
    BenchError
        A file is not one of records.
    """
    parser = argparse.ArgumentParser(prog="blustream bench compare", description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument(
        "--at-least",
        type=float,
        default=_AT_LEAST_PERCENT,
        metavar="PERCENT",
        help="tell no smaller change, however small the measured noise (default %(default)s)",
    )
    parser.add_argument("--all", action="store_true", help="list what is the same, too")
    arguments = parser.parse_args(argv)
    (old_machine, old), (new_machine, new) = load(arguments.old), load(arguments.new)
    for name, machine in (("old", old_machine), ("new", new_machine)):
        print(f"{name}: {machine.get('date')}, load {machine.get('load_1min')}")
        print(f"     $ {machine.get('command')}")
    if difference := other_machine(old_machine, new_machine):
        print(f"Cannot be compared, measured on different machines: {difference}.")
        return 2
    for word in _versions_changed(old_machine, new_machine):
        print(word)
    comparison = compare(old, new, at_least_percent=arguments.at_least)
    return _tell(comparison, all_rows=arguments.all)


def _tell(comparison: Comparison, *, all_rows: bool) -> int:
    for problem in comparison.problems:
        print(f"not compared: {problem}")
    rows = [c.row() for c in comparison.changes if all_rows or c.verdict != "same"]
    if rows:
        print(f"\n{table(rows)}\n")
    n = {v: sum(c.verdict == v for c in comparison.changes) for v in ("worse", "better", "same")}
    print(f"{n['worse']} worse, {n['better']} better, {n['same']} within the noise.")
    if not comparison.changes:
        return 2
    return 1 if comparison.is_worse else 0


def _by_case(records: Sequence[Record]) -> dict[str, Record]:
    return {_case(record): record for record in records}


def _twice(records: Sequence[Record]) -> list[str]:
    counts = Counter(_case(record) for record in records)
    return [case for case, count in counts.items() if count > 1]


def _case(record: Record) -> str:
    words = [value for value in record.values() if isinstance(value, str) and value]
    return ", ".join(words)


def _changes(
    case: str, old: Record, new: Record, at_least_percent: float
) -> Iterator[Change | str]:
    for name in old:
        match = _MEDIAN.fullmatch(name)
        if match is None or old[name] is None:
            continue
        if new.get(name) is None:
            yield f"{name} of {case} was not measured again"
            continue
        noise = f"{match['what']}noise_{match['unit']}"
        if old.get(noise) is None or new.get(noise) is None:
            yield f"{name} of {case} has no noise figure"
            continue
        limit = max(
            _ERRORS * math.hypot(old[noise], new[noise]), at_least_percent / 100 * abs(old[name])
        )
        yield Change(case, name, old[name], new[name], limit)


def _versions_changed(old: Record, new: Record) -> Iterator[str]:
    before, after = old.get("versions", {}), new.get("versions", {})
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield f"{name}: {before.get(name, 'missing')} → {after.get(name, 'missing')}"
