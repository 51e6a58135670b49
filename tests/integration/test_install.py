"""Somebody installs the wheel into a clean environment and runs the command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def _run(*command: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    # Nothing of this checkout may help.
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.timeout(600)
def test_pip_install_of_the_checkout_gives_a_working_command(
    project_root: Path, tmp_path: Path
) -> None:
    venv = tmp_path / "venv"
    assert _run(sys.executable, "-m", "venv", venv, cwd=tmp_path).returncode == 0
    installed = _run(
        venv / "bin" / "pip",
        "install",
        "-q",
        "-c",
        project_root / "constraints.txt",
        project_root,
        cwd=tmp_path,
    )
    assert installed.returncode == 0, installed.stderr
    blustream = venv / "bin" / "blustream"
    doctor = _run(blustream, "doctor", cwd=tmp_path)
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    code = (
        "from pathlib import Path; from blustream_widget.demo import demo_volume;"
        "print(demo_volume(Path('.'), size=40))"
    )
    made = _run(venv / "bin" / "python", "-c", code, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    info = _run(blustream, "info", tmp_path / "demo-40.vds", cwd=tmp_path)
    assert "inline" in info.stdout, info.stderr
