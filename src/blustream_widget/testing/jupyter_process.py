"""A Jupyter server of some kind as a process, with a folder and a log of its own."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from blustream_widget.testing.waiting import wait_until

_STOP_TIMEOUT_S = 15.0
# JupyterLab asks the network for news at its start, and then covers the page with the answer.
_PAGE_CONFIG = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}


class JupyterProcess:
    """What `JupyterLab` and `JupyterHub` have in common; a context manager.

    Parameters
    ----------
    url : str
        "http://<address>:<port>", where it will listen.
    token : str
        Of who may ask it everything.
    prefix : str
        Of the folder's name.

    Attributes
    ----------
    url : str
    home : Path
        The temporary folder; its name is short, as the path of a UNIX socket has 107 bytes at most.
    log_path : Path
        What it and all that it started wrote.
    """

    _process: subprocess.Popen[bytes] | None = None

    def __init__(self, url: str, token: str, *, prefix: str) -> None:
        self.url = url
        self._token = token
        self.home = Path(tempfile.mkdtemp(prefix=prefix))
        self.log_path = self.home / "jupyter.log"

    @property
    def pid(self) -> int:
        """Of the server's process."""
        assert self._process is not None
        return self._process.pid

    def request(self, path: str, *, method: str = "GET") -> Any:
        """Call the REST interface, and read its answer's JSON; None if that is empty."""
        with urllib.request.urlopen(self._to(path, method), timeout=30) as response:
            body = response.read()
        return json.loads(body) if body else None

    def wait(self) -> int:
        """Wait until the server ends by itself; its exit status."""
        assert self._process is not None
        return self._process.wait()

    def log_tail(self, lines: int = 40) -> str:
        """Read the end of the log."""
        if not self.log_path.is_file():
            return ""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])

    def close(self) -> None:
        """End the server with all that it started, and remove the temporary folder."""
        process = self._process
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # -------------------------------------------------- for those who are one

    def _start(
        self,
        *arguments: str,
        folder: Path,
        environment: Mapping[str, str],
        answers_at: str,
        timeout_s: float,
        every_s: float = 0.05,
    ) -> None:
        """Run `python -m ARGUMENTS` in a folder until it answers at a path of its REST interface.

        Raises
        ------
        RuntimeError
            If it ends or does not answer in time; holds the end of its log.
        """
        command = [sys.executable, "-m", *arguments]
        # A killed test run has no time to clean up: where the system can, it ends the server.
        if setpriv := shutil.which("setpriv"):
            command = [setpriv, "--pdeathsig", "TERM", *command]
        name = type(self).__name__
        try:
            with self.log_path.open("wb") as log:
                self._process = subprocess.Popen(
                    command,
                    cwd=folder,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            wait_until(
                lambda: self._answers(answers_at),
                timeout_s=timeout_s,
                what=f"{name} answers",
                every_s=every_s,
            )
        except (ChildProcessError, TimeoutError) as exc:
            log_tail = self.log_tail()
            self.close()
            raise RuntimeError(f"{name} did not start:\n{log_tail}") from exc
        except BaseException:  # Ctrl-C is no failure of its own
            self.close()
            raise

    def _configure_pages(self) -> Path:
        """Have JupyterLab's pages be as tests need them; returns its configuration's folder."""
        config = self.home / "c"
        (config / "labconfig").mkdir(parents=True)
        (config / "labconfig" / "page_config.json").write_text(json.dumps(_PAGE_CONFIG))
        return config

    def _to(self, path: str, method: str = "GET") -> urllib.request.Request:
        headers = {"Authorization": f"token {self._token}"}
        return urllib.request.Request(self.url + path, method=method, headers=headers)

    def _answers(self, path: str) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise ChildProcessError(f"exit status {self._process.returncode}")
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            return bool(self.request(path))
        return False
