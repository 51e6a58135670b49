"""Tables for people and JSON for the next run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from blustream_widget.bench.numbers import Record
from blustream_widget.errors import BenchError


def table(results: Sequence[Record]) -> str:
    """Align records as a Markdown table; the columns are those of all records, in order."""
    columns: list[str] = []
    for result in results:
        columns += [name for name in result if name not in columns]
    rows = [columns, *([_cell(result.get(name)) for name in columns] for result in results)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(columns))]
    lines = [
        "| " + " | ".join(f"{c:<{w}}" for c, w in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return str(value)


def publish(machine: Record, results: Sequence[Record], json_path: Path | None) -> None:
    """Print machine and table; write `{"machine": …, "results": […]}` if a path is given."""
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    load = f"{machine['cores']} cores, load {machine['load_1min']}"
    print(f"{machine['date']}  {machine['processor']}, {load}")
    print(f"{machine['system']}, Python {machine['python']}, {versions}")
    print(f"$ {machine['command']}\n")
    print(table(results))
    if json_path is not None:
        json_path.write_text(
            json.dumps({"machine": machine, "results": list(results)}, indent=1) + "\n"
        )
        print(f"\nwrote {json_path}")


def load(path: Path) -> tuple[Record, list[Record]]:
    """Read machine and records of a file that `publish` has written.

    Raises
    ------
    BenchError
        The file is missing, or is none of those.
    """
    try:
        content = json.loads(path.read_bytes())
        return dict(content["machine"]), [dict(record) for record in content["results"]]
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise BenchError(
            f"{path} holds no benchmark records: {exc}.",
            hint="Write one with `blustream bench … --json FILE`.",
        ) from exc
