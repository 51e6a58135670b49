"""The token reaches the page while a cell runs, and stays out of the notebook file."""

from __future__ import annotations

import json

from blustream_widget.testing.waiting import wait_until

_SHOW = """from IPython.display import display
from blustream_widget import Viewer
viewer = Viewer({path!r}, colormap='grey', interpolate=False, kind='seismic')
display(viewer)
"""


def test_the_picture_comes_while_its_own_cell_still_runs(open_notebook, barcode_path) -> None:
    code = _SHOW.format(path=str(barcode_path)) + "import time; time.sleep(25)"
    page = open_notebook(code)
    page.start_run_all()
    host = page.viewer()
    wait_until(
        lambda: host.count() == 1 and host.get_attribute("data-phase") == "live",
        timeout_s=20,
        what="it is shown",
    )
    assert not page.page.evaluate("() => globalThis.allCellsRan")


def test_no_token_is_in_an_executed_notebook(tmp_path, barcode_path, monkeypatch) -> None:
    import nbclient
    import nbformat

    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("BLUSTREAM_RUNTIME_DIR", str(tmp_path / "run"))
    wait = "viewer.shape\nviewer._link.renew_token(viewer._session)\nviewer.info"
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell(_SHOW.format(path=str(barcode_path))),
            nbformat.v4.new_code_cell(wait),
        ]
    )
    nbclient.NotebookClient(notebook, timeout=60, store_widget_state=True).execute()
    text = json.dumps(notebook)
    assert "_session" in text
    assert "eyJ" not in text
