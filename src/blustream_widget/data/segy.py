"""SEG-Y through OpenVDS's own SEGYImport, which comes with its wheel."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from blustream_widget.data.partial import PartialFile
from blustream_widget.data.wheel_tools import find_tool
from blustream_widget.errors import MissingDependencyError, VolumeFormatError, VolumeWriteError

_DONE = re.compile(rb"([\d.]+) % Done")
_TRUNCATED = "File size is inconsistent with trace size"
_PRESTACK = "prestack"
_OVERHEAD = 1.2


@contextmanager
def scanned_segy(path: Path, target: Path, report: Callable[[float, str], None]) -> Iterator[Path]:
    """Sort the traces of a SEG-Y file into a temporary VDS of one level, beside `target`.

    Its levels of detail would take the first non-zero voxel of eight, so it makes none.

    Yields
    ------
    Path
        Removed at the end.

    Raises
    ------
    VolumeFormatError
        Truncated, not SEG-Y, pre-stack, 2-D, or with a header layout nobody can guess.
    VolumeWriteError
    MissingDependencyError
    """
    partial = PartialFile(target, int(path.stat().st_size * _OVERHEAD))
    try:
        _run(path, partial.path, report)
        yield partial.path
    finally:
        partial.discard()


def _run(path: Path, result: Path, report: Callable[[float, str], None]) -> None:
    command = [str(_program()), "--lod-levels", "0", "--vdsfile", str(result.absolute())]
    process = subprocess.Popen(
        [*command, str(path.absolute())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        shell=False,
    )
    output = bytearray()
    try:
        assert process.stdout is not None
        # Progress is written with carriage returns, so lines are of no use.
        while piece := os.read(process.stdout.fileno(), 4096):
            output += piece
            found = _DONE.findall(piece)
            if found:
                report(float(found[-1]) / 100, f"sorting the traces of {path.name}")
        returned = process.wait()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
    _check(path, returned, output.decode("utf-8", "replace"), result)


def _check(path: Path, returned: int, output: str, result: Path) -> None:
    if _TRUNCATED in output:
        raise VolumeFormatError(
            f"{path} is truncated or damaged: its size does not fit its traces.",
            hint="Copy it again.",
        )
    if returned == 0 and result.exists():
        return
    if "No space left" in output:
        raise VolumeWriteError(f"There is no room for {result}.", hint="Free some space.")
    if _PRESTACK in output or "only one segment" in output:
        raise VolumeFormatError(
            f"{path} is not a stacked 3-D volume: it holds gathers or a single line.",
            hint="Import the stack, or check which trace headers hold inline and crossline.",
        )
    reason = re.sub(r"\s+", " ", output).strip()[-300:] or f"it returned {returned}"
    raise VolumeFormatError(
        f"{path} cannot be imported: {reason}",
        hint="Check that it is SEG-Y with inline and crossline in the usual trace headers.",
    )


def _program() -> Path:
    program = find_tool("SEGYImport")
    if program is None:
        raise MissingDependencyError(
            "SEGYImport is not beside this Python, so SEG-Y cannot be imported.",
            hint="Install OpenVDS again: pip install --force-reinstall openvds",
        )
    return program
