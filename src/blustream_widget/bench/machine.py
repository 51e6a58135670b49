"""What a figure was measured on: without it a figure is a rumour."""

from __future__ import annotations

import importlib.metadata as metadata
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from blustream_widget._version import __version__

_PACKAGES = ("openvds", "av", "aiortc", "aiohttp", "jupyterlab", "jupyter-server-proxy", "numpy")


def machine_record(command: Sequence[str]) -> dict[str, Any]:
    """Machine, versions, date and the command that measured.

    Returns
    -------
    dict
        JSON-ready; `load_1min` above the number of cores means that others were busy too.
    """
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join(command),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "load_1min": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {"blustream-widget": __version__} | _versions(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if "model name" in line), "")


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
