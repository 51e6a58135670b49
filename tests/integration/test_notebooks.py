"""Every notebook of the project runs from a clean kernel, without a browser and a network."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from blustream_widget.demo import demo_volume

ROOT = Path(__file__).parent.parent.parent
NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Runtime files in a folder of a short name, and a server that ends with its last kernel."""
    runtime = tempfile.mkdtemp(prefix="bs-")
    yield {
        **os.environ,
        "JUPYTER_RUNTIME_DIR": runtime,
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "BLUSTREAM_SERVER_GRACE_S": "0.5",
        "BLUSTREAM_SESSION_GRACE_S": "0.5",
        "BLUSTREAM_DEMO_VOLUME": str(demo_volume(tmp_path, size=64)),
    }
    shutil.rmtree(runtime, ignore_errors=True)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_and_its_assertions_hold(name, environment, tmp_path):
    notebook = nbformat.read(ROOT / "notebooks" / name, as_version=4)
    client = NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(tmp_path)}})
    client.execute(env=environment)
    assert notebook.cells[-1].source.splitlines()[-1].startswith("assert")
