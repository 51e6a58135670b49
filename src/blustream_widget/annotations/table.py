"""Annotations as rows: CSV files and pandas frames, there and back without a loss."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from blustream_widget.core.annotation import MAX_ANNOTATIONS, Annotation, check_annotation, typed
from blustream_widget.errors import AnnotationError, MissingDependencyError

COLUMNS: tuple[str, ...] = Annotation.__struct_fields__
_TEXTS = frozenset({"id", "label", "text", "group", "author"})
_NUMBERS = frozenset({"width", "created_ms", "modified_ms"})
_CHOICES = frozenset({"visible", "locked", "closed"})
# A spreadsheet would take these for a formula; the quote mark is taken off again when read.
_GUARDED = tuple("=+-@\t\r\n'")
_MAX_CELL = 400_000


def to_csv(items: Iterable[Annotation]) -> str:
    """CSV with one row for each annotation, all its fields; points are a JSON list."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for item in items:
        row = _row(item)
        writer.writerow(
            {
                name: "'" + value if name in _TEXTS and value.startswith(_GUARDED) else value
                for name, value in row.items()
            }
        )
    return out.getvalue()


def _row(item: Annotation) -> dict[str, Any]:
    row = msgspec.structs.asdict(item)
    row["points"] = json.dumps(item.points)
    row["axis"] = "" if item.axis is None else item.axis
    return row


def from_csv(text: str) -> list[Annotation]:
    """Annotations of a CSV text; columns that are missing have their defaults.

    Raises
    ------
    AnnotationError
        Names the row that cannot be read.
    """
    found: list[Annotation] = []
    previous = csv.field_size_limit(_MAX_CELL)
    try:
        # newline="": line ends inside a quoted text are the text's own.
        reader = csv.DictReader(io.StringIO(text, newline=""))
        for number, row in enumerate(reader, 1):
            _check_count(number)
            if None in row:
                raise AnnotationError(f"Row {number} has more cells than there are columns.")
            cells: dict[str, Any] = {
                name: value.removeprefix("'") if name in _TEXTS and value else value
                for name, value in row.items()
            }
            found.append(_annotation(cells, number))
    except csv.Error as exc:
        raise AnnotationError(f"This is not CSV: {exc}.") from exc
    finally:
        csv.field_size_limit(previous)
    return found


def to_frame(items: Iterable[Annotation]) -> Any:  # Any: pandas.DataFrame; pandas is optional
    """Return a pandas frame with one row for each annotation, by its id.

    Raises
    ------
    MissingDependencyError
        pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as exc:
        raise MissingDependencyError(
            "A data frame needs pandas, which is not installed.", hint="pip install pandas"
        ) from exc
    rows = [msgspec.structs.asdict(item) for item in items]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame["axis"] = frame["axis"].astype("Int64")
    return frame.set_index("id")


def from_frame(frame: Any) -> list[Annotation]:
    """Annotations of a frame as `to_frame` makes it; columns that are missing have their defaults.

    Raises
    ------
    AnnotationError
        Names the row that cannot be read.
    """
    flat = frame.reset_index() if frame.index.name == "id" else frame
    found = []
    for number, row in enumerate(flat.to_dict("records"), 1):
        _check_count(number)
        found.append(_annotation({str(name): value for name, value in row.items()}, number))
    return found


def _check_count(number: int) -> None:
    if number > MAX_ANNOTATIONS:
        raise AnnotationError(
            "The table has too many annotations.", hint=f"At most {MAX_ANNOTATIONS}."
        )


def _annotation(cells: Mapping[str, Any], number: int) -> Annotation:
    unknown = set(cells) - set(COLUMNS)
    if unknown:
        raise AnnotationError(
            f"A table of annotations has no column {min(unknown)!r}.",
            hint=f"Known: {', '.join(COLUMNS)}.",
        )
    try:
        fields = {
            name: _value(name, cell) for name, cell in cells.items() if not _is_empty(name, cell)
        }
        item = typed(fields)
        check_annotation(item, None)
    except AnnotationError as exc:
        raise AnnotationError(f"Row {number}: {exc.message}", hint=exc.hint) from exc
    except (TypeError, ValueError) as exc:
        raise AnnotationError(f"Row {number} is not an annotation: {exc}.") from exc
    return item


def _is_empty(name: str, cell: Any) -> bool:
    if name in _TEXTS - {"id"}:
        return cell is None
    # NaN and pandas.NA: what pandas puts where there is nothing.
    return cell is None or (isinstance(cell, str) and not cell) or str(cell) in ("nan", "<NA>")


def _value(name: str, cell: Any) -> Any:
    if name == "points":
        rows = json.loads(cell) if isinstance(cell, str) else cell
        return tuple(tuple(float(v) for v in row) for row in rows)
    if name == "axis":
        return int(cell)
    if name in _NUMBERS:
        return float(cell)
    if name in _CHOICES and isinstance(cell, str):
        if cell.lower() not in ("true", "false"):
            raise AnnotationError(f"{name} is {cell[:40]!r}, neither True nor False.")
        return cell.lower() == "true"
    return bool(cell) if name in _CHOICES else cell
