"""Programs that come with the OpenVDS wheel."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path


def find_tool(name: str) -> Path | None:
    """Path of a program of the wheel, beside this Python; None if it is not there."""
    file_name = f"{name}.exe" if sys.platform == "win32" else name
    for folder in (Path(sysconfig.get_path("scripts")), Path(sys.prefix) / "bin"):
        if (folder / file_name).is_file():
            return folder / file_name
    return None
