"""A viewer of an S3 volume in a notebook: it opens, and nobody sees the keys."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from blustream_widget.testing.slow_network import SlowNetwork
from blustream_widget.testing.storage import ACCESS_KEY, SECRET_KEY, s3_storage
from blustream_widget.testing.volumes import ramp_volume, write_volume

_OTHER_SECRETS = {"AZURE_STORAGE_KEY": "unseen-key-of-azure"}
_CELLS = """
import os
# Set in a cell, as people do, after the kernel has started.
os.environ["AWS_SESSION_TOKEN"] = "".join(["unse", "en-token"])
from blustream_widget import Viewer
viewer = Viewer("s3://volumes/ramp")
viewer
# %%
viewer.shape
# %%
try:
    Viewer("s3://volumes/nothing").shape
except Exception as error:
    print(type(error).__name__, error)
# %%
import glob, json, psutil
def seen(pid):
    process = psutil.Process(pid)
    found = []
    for one in (process, *process.children(recursive=True)):
        try:
            found.append((one.cmdline(), one.environ()))
        except psutil.NoSuchProcess:  # the worker of the volume that does not exist ends meanwhile
            pass
    return found
(file,) = glob.glob(os.environ["JUPYTER_RUNTIME_DIR"] + "/blustream/server*.json")
processes = seen(json.loads(open(file).read())["pid"])
with open("processes.json", "w") as out:
    json.dump(processes, out)
(len(processes), viewer.error)
"""


@pytest.fixture
def runtime():
    folder = tempfile.mkdtemp(prefix="bs-")
    yield Path(folder)
    shutil.rmtree(folder, ignore_errors=True)


def test_keys_open_a_volume_and_are_seen_nowhere(tmp_path, runtime):
    write_volume(tmp_path / "ramp.vds", ramp_volume((40, 50, 60)))
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in _CELLS.split("# %%\n")]
    )
    with s3_storage() as storage, SlowNetwork(storage.target).running() as network:
        storage.upload(tmp_path / "ramp.vds", "ramp")
        environment = {
            **os.environ,
            **storage.environment(network.port),
            **_OTHER_SECRETS,
            "HOME": str(tmp_path),
            "JUPYTER_RUNTIME_DIR": str(runtime),
            "IPYTHONDIR": str(tmp_path / "ipython"),
            "BLUSTREAM_SERVER_GRACE_S": "0.5",
            "BLUSTREAM_SESSION_GRACE_S": "0.5",
            "BLUSTREAM_LOG_LEVEL": "DEBUG",
        }
        client = NotebookClient(
            notebook, timeout=60, resources={"metadata": {"path": str(tmp_path)}}
        )
        client.execute(env=environment)
        paths = [exchange.path for exchange in network.exchanges]
    outputs = [json.dumps(cell.outputs) for cell in notebook.cells]
    assert "(40, 50, 60)" in outputs[1]
    assert re.search(r"(VolumeNotFound|StorageUnreachable)Error The.* nothing", outputs[2])
    assert re.search(r"\(\d+, None\)", outputs[3])
    assert "/volumes/ramp/VolumeDataLayout" in paths
    processes = (tmp_path / "processes.json").read_text()
    assert "blustream_widget.worker" in processes
    logs = "".join(path.read_text() for path in runtime.glob("blustream/*.log"))
    assert logs
    assert "BLUSTREAM_SERVER_GRACE_S" in processes, "environments were seen"
    for text in (json.dumps(notebook), processes, logs):
        for secret in ("unseen-", ACCESS_KEY, SECRET_KEY):
            assert secret not in text
