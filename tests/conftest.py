"""What every test may use: paths, volumes that others wrote, the order of tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from xdist.scheduler import LoadFileScheduling

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


class _BrowserLast(LoadFileScheduling):
    """Files side by side, then all browser tests one by one: each of them fills two cores."""

    def _split_scope(self, nodeid: str) -> str:
        is_browser = nodeid.startswith("tests/browser/")
        return "tests/browser" if is_browser else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _BrowserLast:
    return _BrowserLast(config, log)


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
