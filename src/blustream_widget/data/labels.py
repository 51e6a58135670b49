"""Volumes of labels: whole numbers that stand for names."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np

from blustream_widget.core.types import Samples
from blustream_widget.data.import_sources import Block, ImportSource
from blustream_widget.errors import VolumeFormatError

# "12 Frontal_Inf_Oper_R 2302": number, name, and often a code that nobody reads.
_LINE = re.compile(r"^\s*(\d+)\s+(.+?)(?:\s+[\d.]+)*\s*$")
_LONGEST_TABLE_BYTES = 1 << 20


def as_label_channel(source: ImportSource, path: Path) -> ImportSource:
    """Make the one channel of `source` a label channel, named after its file.

    Raises
    ------
    VolumeFormatError
        When read: negative or fractional values.
    """
    if len(source.channels) != 1:
        raise VolumeFormatError(
            f"{path} has {len(source.channels)} channels; labels are one.",
            hint="Give a file with the labels alone.",
        )
    given = np.dtype(source.channels[0].dtype)
    dtype = np.dtype(f"u{min(given.itemsize, 4)}")
    if given.kind == "f":
        dtype = np.dtype(np.uint32)
    channel = msgspec.structs.replace(
        source.channels[0], dtype=dtype.name, is_label=True, unit="", label_names=label_names(path)
    )

    def read(index: int, block: Block) -> Samples:
        values = source.read(index, block)
        converted: Samples = values.astype(dtype)
        if not np.array_equal(converted, values):
            raise VolumeFormatError(
                f"{path} holds negative or fractional values, which are not labels.",
                hint="Round it to whole numbers from 0, or import it as a volume of its own.",
            )
        return converted

    return replace(source, channels=(channel,), read=read)


def label_names(path: Path) -> dict[int, str]:
    """Names from a text file beside a label volume; empty if there is none."""
    stem = path.name.removesuffix(".gz")
    for candidate in (f"{stem}.txt", f"{Path(stem).stem}.txt"):
        table = path.with_name(candidate)
        if table.is_file() and table.stat().st_size <= _LONGEST_TABLE_BYTES:
            lines = table.read_text(encoding="utf-8", errors="replace").splitlines()
            found = (_LINE.match(line) for line in lines)
            return {int(match[1]): match[2] for match in found if match}
    return {}
