"""Somebody installs a release, and has the command, the demo and nothing of this checkout."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import uuid
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.timeout(600)


class Installation:
    """A clean environment with the wheel, and a home of its own for what the programs keep."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.python = root / "venv" / "bin" / "python"
        # Every process that a command starts inherits this.
        self.mark = uuid.uuid4().hex
        # Nothing of this checkout may help.
        kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
        self.environment = kept | {"BLUSTREAM_TEST_MARK": self.mark}

    def run(self, *command: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(part) for part in command],
            cwd=cwd or self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def pip_install(self, *arguments: object) -> None:
        # What is not compiled here is compiled when it is used, which is half of the time.
        pip = [sys.executable, "-m", "pip", "--python", self.python, "install", "--no-compile"]
        result = self.run(*pip, "-q", *arguments)
        assert result.returncode == 0, result.stderr

    def blustream(self, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
        return self.run(self.python.parent / "blustream", *arguments, cwd=cwd)

    def processes(self) -> list[str]:
        """What still runs of all that was started here."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if (
                    process.environ().get("BLUSTREAM_TEST_MARK") == self.mark
                    and process.status() != psutil.STATUS_ZOMBIE
                ):
                    found.append(" ".join(process.cmdline()))
        return found


@pytest.fixture(scope="session")
def constraints(project_root: Path) -> list[object]:
    return ["-c", project_root / "constraints.txt"]


@pytest.fixture(scope="session")
def wheel(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `pip install .` builds and a release uploads."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, project_root]
    subprocess.run(command, check=True, cwd=folder)
    (path,) = folder.glob("blustream_widget-*.whl")
    return path


@pytest.fixture(scope="session")
def installation(
    wheel: Path, constraints: list[object], tmp_path_factory: pytest.TempPathFactory
) -> Installation:
    """`pip install blustream-widget`, once for all tests."""
    made = Installation(tmp_path_factory.mktemp("release"))
    venv = [sys.executable, "-m", "venv", "--without-pip"]
    assert made.run(*venv, made.root / "venv").returncode == 0
    made.pip_install(*constraints, wheel)
    return made


@pytest.fixture(scope="session")
def with_extra(installation: Installation, wheel: Path, constraints: list[object]) -> Installation:
    """The same installation, after `pip install 'blustream-widget[headless]'`."""
    installation.pip_install(*constraints, f"{wheel}[headless]")
    return installation


def test_a_release_says_what_works_here_and_reads_what_it_made(installation, tmp_path):
    doctor = installation.blustream("doctor", cwd=tmp_path)
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    code = (
        "from pathlib import Path; from blustream_widget.demo import demo_volume;"
        "print(demo_volume(Path('.'), size=40))"
    )
    made = installation.run(installation.python, "-c", code, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    info = installation.blustream("info", "demo-40.vds", cwd=tmp_path)
    assert "inline" in info.stdout, info.stderr


@pytest.mark.browser
def test_a_check_without_the_extra_is_one_line_that_names_it(installation, tmp_path):
    has_extra = installation.run(installation.python, "-c", "import playwright").returncode == 0
    assert not has_extra, "runs before the tests that install it"
    result = installation.blustream("demo", "--headless", cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "pip install 'blustream-widget[headless]'" in result.stderr
    assert list(tmp_path.iterdir()) == [], "said before the volume is made"


@pytest.mark.browser
def test_a_release_checks_its_demo_without_a_person(with_extra, tmp_path):
    result = with_extra.blustream("demo", "--headless", "--size", 96, cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "of the pixels changed" in result.stdout
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
    assert left == ["blustream-demo", "blustream-demo/demo-96.vds", "blustream-demo/headless.png"]
    assert (tmp_path / "blustream-demo" / "headless.png").stat().st_size > 50_000
    assert with_extra.processes() == []


@pytest.mark.browser
def test_a_driver_that_does_not_start_names_the_library_that_it_needs(with_extra, tmp_path):
    """As on a bare Debian, where Playwright's own Node.js lacks libatomic."""
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho libatomic.so.1: cannot open >&2\nexit 127\n")
    node.chmod(0o755)
    blustream = with_extra.python.parent / "blustream"
    command = ["env", f"PLAYWRIGHT_NODEJS_PATH={node}", blustream, "demo", "--headless"]
    result = with_extra.run(*command, "--size", 32, cwd=tmp_path)
    assert result.returncode == 1
    assert "apt install libatomic1" in result.stderr
    assert "Traceback" not in result.stderr
    assert with_extra.processes() == []
