"""The documents build, and the code in them runs as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_site_builds_without_a_warning(project_root: Path, tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=project_root,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    api = (tmp_path / "site" / "api.html").read_text()
    assert "slice_no" in api
    assert "VolumeNotFoundError" in api


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "docs/getting-started.md",
        "docs/annotations.md",
        "docs/segmentations.md",
        "docs/overlays.md",
    ],
)
def test_the_python_of_a_page_runs_from_top_to_bottom(
    project_root: Path, tmp_path: Path, page: str
) -> None:
    from blustream_widget.data.synthetic import write_demo_volume

    blocks = _BLOCK.findall((project_root / page).read_text())
    assert blocks
    write_demo_volume(tmp_path / "survey.vds", shape=(64, 64, 64))
    runtime = tmp_path / "r"
    runtime.mkdir(mode=0o700)
    ran = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks)],
        cwd=tmp_path,
        env={
            **os.environ,
            "BLUSTREAM_RUNTIME_DIR": str(runtime),
            "BLUSTREAM_SERVER_GRACE_S": "1",
            "BLUSTREAM_SESSION_GRACE_S": "1",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
