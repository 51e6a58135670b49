from __future__ import annotations

import subprocess
import sys

HEAVY = [
    "openvds",
    "av",
    "aiortc",
    "aiohttp",
    "nibabel",
    "ipywidgets",
    "vtk",
    "torch",
    "jupyterlab",
]


def _run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    ).stdout


def test_import_brings_no_heavy_package():
    code = "import sys, blustream_widget; print(*[m for m in sys.argv[1:] if m in sys.modules])"
    loaded = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *HEAVY],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert loaded.split() == []


def test_import_starts_no_thread_and_no_process():
    code = "import threading, blustream_widget; print(threading.active_count())"
    assert _run(code).strip() == "1"


def test_a_viewer_is_imported_without_a_server_or_a_reader():
    code = "import sys; from blustream_widget import Viewer; print(*sys.modules)"
    loaded = set(_run(code).split())
    assert loaded.isdisjoint({"openvds", "av", "aiortc", "torch", "vtk", "jupyterlab"})
