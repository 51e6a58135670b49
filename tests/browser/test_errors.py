"""Wrong input in a notebook: one typed error each, where the user looks, and the kernel lives."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

from blustream_widget.testing.notebook_page import VIEWER, NotebookPage
from blustream_widget.testing.volumes import ramp_volume, write_volume
from blustream_widget.testing.waiting import wait_until

# Runs one cell as Shift+Enter does, whatever became of the cells before it.
_RUN_CELL = """async (index) => {
  const notebook = jupyterapp.shell.currentWidget.content;
  notebook.activeCellIndex = index;
  notebook.deselectAll();
  await jupyterapp.commands.execute('notebook:run-cell');
  return notebook.model.toJSON().cells[index].outputs;
}"""
# All text of an element, through shadow roots, style sheets left out.
_TEXT = """(host) => {
  const text = (root) => [...root.childNodes].map((node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.data;
    if (node.tagName === 'STYLE') return '';
    return (node.shadowRoot ? text(node.shadowRoot) : '') + text(node);
  }).join(' ');
  return text(host.shadowRoot ?? host);
}"""
SHAPE = (40, 48, 56)
OUTPUT = Path(__file__).parent.parent.parent / "test-output"

# Cell, type of the error in its output, words that name the thing.
RAISED = [
    ("Viewer('.')", "VolumeFormatError", ["is a folder"]),
    ("Viewer('nowhere.vds')", "VolumeNotFoundError", ["nowhere.vds"]),
    ("Viewer(np.zeros((7, 8)))", "VolumeFormatError", ["(7, 8)", "2 axes"]),
    ("Viewer(np.array([[[None]]]))", "VolumeFormatError", ["object"]),
    ("Viewer(np.zeros((0, 8, 9)))", "VolumeFormatError", ["(0, 8, 9)", "no voxels"]),
    ("Viewer(np.full((3, 4, 5), np.nan))", "VolumeFormatError", ["array", "NaN"]),
    ("Viewer('foo://host/survey.vds')", "VolumeFormatError", ["foo://", "survey.vds"]),
    ("viewer.slice_idx = 40", "TraitStateError", ["slice_idx", "40", "39"]),
    ("viewer.colormap = 'rainbow'", "TraitStateError", ["colour map", "rainbow", "seismic"]),
]
DAMAGED = ["damaged.nii", "damaged.npz", "damaged.vds", "truncated.vds", "nan.npy"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A good volume, and files that are not whole."""
    values = ramp_volume(SHAPE)
    write_volume(tmp_path / "good.vds", values)
    whole = (tmp_path / "good.vds").read_bytes()
    (tmp_path / "truncated.vds").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "damaged.vds").write_bytes(b"VDS\0" + bytes(5000))
    content = nibabel.Nifti1Image(values, np.eye(4)).to_bytes()
    (tmp_path / "damaged.nii").write_bytes(content[: len(content) // 2])
    np.savez_compressed(tmp_path / "damaged.npz", values)
    packed = bytearray((tmp_path / "damaged.npz").read_bytes())
    packed[2000:2400] = b"\xff" * 400
    (tmp_path / "damaged.npz").write_bytes(packed)
    np.save(tmp_path / "nan.npy", np.full(SHAPE, np.nan, np.float32))
    return tmp_path


def _run(page: NotebookPage, index: int) -> list[dict]:
    return page.page.evaluate(_RUN_CELL, index)


def test_wrong_input_is_one_typed_error_where_the_user_looks(open_notebook, folder) -> None:
    page = open_notebook(
        "import os\nimport numpy as np\nfrom blustream_widget import Viewer\n"
        f"os.chdir({str(folder)!r})",
        "viewer = Viewer('good.vds', height=420)\nviewer.info.shape",
        *(code for code, _, _ in RAISED),
        *(f"broken = Viewer({name!r}, height=300)\nbroken" for name in DAMAGED),
        "print('alive', viewer.slice_idx, viewer.colormap)",
        height_px=1400,
    )
    _run(page, 0)
    assert str(SHAPE) in str(_run(page, 1))
    for index, (code, kind, words) in enumerate(RAISED, start=2):
        (output,) = _run(page, index)
        assert (output["output_type"], output["ename"]) == ("error", kind), code
        for word in words:
            assert word in output["evalue"], code
    for index, name in enumerate(DAMAGED):
        (output,) = _run(page, 2 + len(RAISED) + index)
        assert "application/vnd.jupyter.widget-view+json" in output["data"]
        host = page.viewer(index)
        wait_until(
            lambda host=host: host.get_attribute("data-phase") == "failed",
            timeout_s=30,
            what=f"the viewer of {name} says so",
        )
        text = host.evaluate(_TEXT)
        assert name in text
        assert page.read_python("(broken.error.code, type(broken.error).__name__)") == [
            "volume-format",
            "VolumeFormatError",
        ]
        assert name in page.read_python("str(broken.error)")
    page.screenshot(OUTPUT / "errors.png")
    (output,) = _run(page, 2 + len(RAISED) + len(DAMAGED))
    assert output["text"] == "alive 20 grey\n"
    # Nothing beside it: no log line in an output, nothing uncaught in the page.
    assert [o for o in page.outputs() if o.get("name") == "stderr"] == []
    assert page.problems == []
    assert page.page.locator(VIEWER).count() == len(DAMAGED)
