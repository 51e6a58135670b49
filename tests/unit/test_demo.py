from __future__ import annotations

import json

import pytest

from blustream_widget import demo
from blustream_widget.errors import ConfigError


def test_a_volume_that_is_there_is_not_made_again(tmp_path, monkeypatch):
    monkeypatch.delenv("BLUSTREAM_DEMO_VOLUME", raising=False)
    (tmp_path / "demo-64.vds").write_bytes(b"kept")
    path = demo.demo_volume(tmp_path, size=64)
    assert path.read_bytes() == b"kept"


def test_a_notebook_is_told_which_volume_was_made_for_it(tmp_path, monkeypatch):
    monkeypatch.setenv("BLUSTREAM_DEMO_VOLUME", str(tmp_path / "told.vds"))
    assert demo.demo_volume(size=64) == tmp_path / "told.vds"


@pytest.mark.parametrize("size", [-1, 0, 31])
def test_a_volume_too_small_for_its_geology_is_refused(tmp_path, monkeypatch, size):
    monkeypatch.delenv("BLUSTREAM_DEMO_VOLUME", raising=False)
    with pytest.raises(ConfigError, match="too small"):
        demo.demo_volume(tmp_path, size=size)


def test_the_notebook_is_placed_once_and_an_edited_one_is_kept(tmp_path):
    demo._place_notebook(tmp_path)
    notebook = tmp_path / demo.NOTEBOOK
    assert json.loads(notebook.read_text())["nbformat"] == 4
    notebook.write_text("mine")
    demo._place_notebook(tmp_path)
    assert notebook.read_text() == "mine"


def test_notebooks_in_the_repository_have_no_outputs(project_root):
    for path in (project_root / "notebooks").glob("*.ipynb"):
        cells = [c for c in json.loads(path.read_text())["cells"] if c["cell_type"] == "code"]
        assert [c["outputs"] for c in cells if c["outputs"]] == [], path.name
        assert [c for c in cells if c["execution_count"] is not None] == [], path.name
