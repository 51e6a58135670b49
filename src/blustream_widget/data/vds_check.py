"""Damaged VDS files are found before OpenVDS opens them here: for some it ends the process."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

from blustream_widget.data.wheel_tools import find_tool
from blustream_widget.errors import VolumeFormatError

# Signature, major and minor version, offset of the file table, its number of entries.
_HEADER = struct.Struct("<12sHHQI")
_SIGNATURE = b"HueDataStore"
_ENTRY_BYTES = 56
_PROBE_S = 30.0


def check_vds_file(path: Path) -> None:
    """Refuse a file that is not a whole VDS. Takes 10 ms, most of it for a process of its own.

    Raises
    ------
    VolumeFormatError
    """
    with path.open("rb") as file:
        header = file.read(_HEADER.size)
    if not header.startswith(_SIGNATURE):
        raise VolumeFormatError(
            f"{path} is not a VDS file: it does not begin like one.",
            hint="Other formats are converted first: blustream import.",
        )
    if len(header) < _HEADER.size or not _is_whole(header, path.stat().st_size) or _kills(path):
        raise VolumeFormatError(
            f"{path} is not a whole VDS file: truncated or damaged.",
            hint="Copy or import it again.",
        )


def _is_whole(header: bytes, size_bytes: int) -> bool:
    """Tell whether the table of the file's parts, which is written last, lies inside the file."""
    fields: tuple[bytes, int, int, int, int] = _HEADER.unpack(header)
    offset, n_entries = fields[3:]
    return n_entries > 0 and offset + n_entries * _ENTRY_BYTES <= size_bytes


def _kills(path: Path) -> bool:
    """OpenVDS's own header reader dies of it."""
    program = find_tool("VDSInfo")
    if program is None:
        return False
    try:
        result = subprocess.run(
            [str(program), "--axis", str(path.absolute())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PROBE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return True
    return result.returncode < 0  # ended by a signal
