"""`blustream demo` as a person starts it: progress, an address, a notebook that runs, Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from blustream_widget.testing.notebook_page import NotebookPage
from blustream_widget.testing.waiting import wait_until


class StartedDemo:
    """The command with folders of its own; what it prints, and what it has started."""

    def __init__(self, folder: Path, home: Path, *options: str) -> None:
        self.home = home
        self._log = folder / "demo.log"
        # The person's own settings are used, so that this person needs some of their own.
        environment = os.environ | {
            "JUPYTER_CONFIG_DIR": str(home / "c"),
            "JUPYTER_RUNTIME_DIR": str(home / "r"),
            "JUPYTER_DATA_DIR": str(home / "d"),
            "IPYTHONDIR": str(home / "i"),
            "BLUSTREAM_ICE_LOOPBACK": "1",
            "BLUSTREAM_SERVER_GRACE_S": "1",
            "BLUSTREAM_SESSION_GRACE_S": "1",
        }
        # A test run in the background ignores Ctrl-C, and so would what it starts.
        command = ["env", "--default-signal=INT", sys.executable, "-m", "blustream_widget.cli"]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "demo", *options],
                cwd=folder,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def printed(self) -> str:
        return self._log.read_text()

    def wait_printed(self, pattern: str) -> str:
        """Wait for a line that matches, as its reader does."""

        def found() -> str | None:
            assert self.process.poll() is None, self.printed
            match = re.search(pattern, self.printed)
            return match and match[0]

        return wait_until(found, timeout_s=60, what=f"the demo prints {pattern}")

    def processes(self) -> list[str]:
        """What runs of all that has inherited the environment."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if (
                    process.environ().get("JUPYTER_RUNTIME_DIR") == str(self.home / "r")
                    and process.status() != psutil.STATUS_ZOMBIE
                ):
                    found.append(f"{process.pid} {' '.join(process.cmdline())}")
        return found

    def interrupt(self) -> int:
        """Press Ctrl-C; the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=30)

    # What a notebook page asks of a JupyterLab.
    def notebook_url(self, name: str) -> str:
        url = self.wait_printed(r"http://\S+")
        assert f"/{name}?" in url
        return url


@pytest.fixture
def start_demo(tmp_path: Path) -> Iterator[type[StartedDemo]]:
    """Start `blustream demo OPTIONS`; a failed test leaves none behind."""
    started: list[StartedDemo] = []
    with tempfile.TemporaryDirectory(prefix="bs-", ignore_cleanup_errors=True) as home:

        def start(*options: str) -> StartedDemo:
            started.append(StartedDemo(tmp_path, Path(home), *options))
            return started[-1]

        yield start
        for demo in started:
            demo.process.terminate()
            demo.process.wait(timeout=30)


def _shows_a_picture(page: NotebookPage) -> bool:
    # Below the last cell's output it is out of sight, where nothing is drawn.
    page.viewer().scroll_into_view_if_needed()
    pixels = page.pixels()
    return pixels.size > 0 and pixels[..., :3].std() > 5


def test_a_person_reads_progress_opens_the_address_and_ends_everything_with_ctrl_c(
    start_demo, browser
):
    demo = start_demo("--size", "96")
    demo.wait_printed(r"100% making demo-96\.vds")
    demo.wait_printed(r"Volume: .*/blustream-demo/demo-96\.vds")
    page = NotebookPage(browser, demo, "01-first-look.ipynb")
    page.run_all()
    wait_until(lambda: _shows_a_picture(page), timeout_s=30, what="the viewer shows a picture")
    running = demo.processes()
    assert any("blustream_widget.worker" in line for line in running), running

    page.close()
    assert demo.interrupt() == 0
    assert "Traceback" not in demo.printed
    wait_until(lambda: not demo.processes(), timeout_s=20, what="nothing is left running")


@pytest.mark.parametrize(
    ("size", "moment", "left"),
    [
        (512, "% making demo-512", []),
        (32, "Starting JupyterLab", ["01-first-look.ipynb", "demo-32.vds"]),
    ],
    ids=["while the volume is made", "while JupyterLab starts"],
)
def test_ctrl_c_before_the_address_leaves_neither_process_nor_half_a_volume(
    start_demo, tmp_path, size, moment, left
):
    demo = start_demo("--size", str(size))
    demo.wait_printed(moment)
    assert demo.interrupt() == 130
    assert "Traceback" not in demo.printed
    wait_until(lambda: not demo.processes(), timeout_s=20, what="nothing is left running")
    assert sorted(path.name for path in (tmp_path / "blustream-demo").iterdir()) == left
