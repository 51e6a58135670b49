"""What every test may use: paths, volumes that others wrote, the order of tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

# Servers of tests live shortly, and two processes for each would take twice the time.
os.environ.setdefault("BLUSTREAM_STANDBY_S", "0")

ROOT = Path(__file__).parent.parent
_MRICRON = Path("/usr/share/mricron/templates")

# A busy machine is slow; how long an example takes is no property that these tests check.
hypothesis.settings.register_profile(
    "project", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("project")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run browser tests last, and skip what needs a GPU where there is none."""
    # Playwright keeps an event loop running in this thread, in which no asyncio test can start one.
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
    if not any(Path("/dev").glob("nvidia[0-9]*")):
        for item in items:
            if item.get_closest_marker("gpu"):
                item.add_marker(pytest.mark.skip(reason="there is no NVIDIA GPU"))


class _BrowserBeside(LoadFileScheduling):
    """Browser tests in one process, all others beside them, a file at a time.

    Two browsers at once would fill both cores; servers and formulas mostly wait. A process that
    has nothing else left helps with the browsers' files, and none goes back from them: Playwright
    keeps an event loop running in its thread.
    """

    def _assign_work_unit(self, node: WorkerController) -> None:
        had_browser = any(_is_browser(scope) for scope in self.assigned_work[node])
        first = len(self.nodes) > 1 and node is self.nodes[0]
        kinds = [True] if had_browser else [True, False] if first else [False, True]
        waiting = [
            scope for kind in kinds for scope in self.workqueue if _is_browser(scope) is kind
        ]
        if not waiting:
            node.shutdown()
            return
        self.workqueue.move_to_end(waiting[0], last=False)
        super()._assign_work_unit(node)


def _is_browser(scope: str) -> bool:
    return scope.startswith("tests/browser/")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _BrowserBeside:
    return _BrowserBeside(config, log)


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The folder of pyproject.toml."""
    return ROOT


@pytest.fixture(scope="session")
def seismic_zfp_data() -> Path:
    """Volumes of the seismic-zfp source distribution: small*.sgy, padding/*.sgy, vds/small.vds."""
    script = ROOT / "scripts" / "fetch_test_data.py"
    subprocess.run([sys.executable, str(script)], cwd=ROOT, check=True, timeout=300)
    (folder,) = (ROOT / ".cache").glob("seismic_zfp-*")
    return folder


@pytest.fixture(scope="session")
def mricron_data() -> Path:
    """Colin-27 and its labels: ch2.nii.gz, aal.nii.gz (Debian's mricron-data)."""
    if not (_MRICRON / "ch2.nii.gz").is_file():
        pytest.fail("mricron-data is not installed: run scripts/system_packages.sh volumes")
    return _MRICRON
