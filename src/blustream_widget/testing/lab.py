"""A JupyterLab server on loopback, in a process and with a configuration of its own."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from blustream_widget.testing.waiting import wait_until

_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 15.0
# JupyterLab asks the network for news at its start, and then covers the page with the answer.
PAGE_CONFIG = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}


class JupyterLab:
    """Started by the constructor, ended by `close`; a context manager.

    Parameters
    ----------
    folder : Path
        What JupyterLab shows.
    environment : mapping, optional
        Variables for the server and all its kernels, on top of this process's.
    port : int
        0 takes a free one.
    address : str
        Where it listens; an address of this machine.
    isolated : bool
        True: settings, runtime files and IPython's profile are in a new temporary folder, so that
        nothing of the person who runs this is seen or changed. False: theirs are used.

    Attributes
    ----------
    url : str
        "http://127.0.0.1:<port>", or another address.
    token : str
    home : Path
        The temporary folder; its name is short, as the path of a UNIX socket has 107 bytes at most.

    Raises
    ------
    RuntimeError
        If the server ends or does not answer within a minute; holds the end of its log.
    """

    def __init__(
        self,
        folder: Path,
        *,
        environment: Mapping[str, str] | None = None,
        port: int = 0,
        address: str = "127.0.0.1",
        isolated: bool = True,
    ) -> None:
        self.folder = folder
        self.token = secrets.token_hex(16)
        self.home = Path(tempfile.mkdtemp(prefix="bs-"))
        self.log_path = self.home / "jupyter.log"
        self.environment = {**os.environ, **(environment or {})}
        if isolated:
            self.environment |= self._isolation()
        self.port = port or free_port()
        self._address = address
        self.url = f"http://{address}:{self.port}"
        self._process = self._start()
        try:
            wait_until(self._answers, timeout_s=_START_TIMEOUT_S, what="JupyterLab answers")
        except (ChildProcessError, TimeoutError) as exc:
            log = self.log_tail()
            self.close()
            raise RuntimeError(f"JupyterLab did not start:\n{log}") from exc
        except BaseException:  # Ctrl-C is no failure of its own
            self.close()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    def notebook_url(self, name: str) -> str:
        """Address that opens the notebook `name` of the folder alone in a fresh workspace."""
        return f"{self.url}/lab/tree/{name}?token={self.token}&reset"

    def write_notebook(self, name: str, cells: list[str]) -> Path:
        """Make a notebook of code cells in the folder."""
        path = self.folder / name
        write_notebook(path, cells)
        return path

    def request(self, path: str, *, method: str = "GET") -> Any:
        """Call Jupyter's REST interface, and read its answer's JSON; None if that is empty."""
        request = urllib.request.Request(
            self.url + path, method=method, headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            body = response.read()
        return json.loads(body) if body else None

    def delete_sessions(self) -> None:
        """End every kernel."""
        for session in self.request("/api/sessions"):
            self.request(f"/api/sessions/{session['id']}", method="DELETE")

    def wait(self) -> int:
        """Wait until the server ends by itself; its exit status."""
        return self._process.wait()

    def log_tail(self, lines: int = 30) -> str:
        """Read the end of the server's log, which holds what its kernels wrote too."""
        if not self.log_path.is_file():
            return ""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])

    def close(self) -> None:
        """End the server and its kernels, and remove the temporary folder."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
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

    def _isolation(self) -> dict[str, str]:
        config = self.home / "c"
        (config / "labconfig").mkdir(parents=True)
        (config / "labconfig" / "page_config.json").write_text(json.dumps(PAGE_CONFIG))
        return {
            "JUPYTER_CONFIG_DIR": str(config),
            "JUPYTER_RUNTIME_DIR": str(self.home / "r"),
            "JUPYTER_DATA_DIR": str(self.home / "d"),
            "IPYTHONDIR": str(self.home / "i"),
        }

    def _start(self) -> subprocess.Popen[bytes]:
        # The token goes by a file: every user can read a command line, and every kernel and what it
        # starts inherits the environment.
        secret = self.home / "token.json"
        secret.touch(mode=0o600)
        secret.write_text(json.dumps({"IdentityProvider": {"token": self.token}}))
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
        # A killed test run has no time to clean up: where the system can, it ends the server.
        if setpriv := shutil.which("setpriv"):
            command = [setpriv, "--pdeathsig", "TERM", *command]
        options = {
            "--config": secret,
            "--ServerApp.ip": self._address,
            "--ServerApp.port": self.port,
            "--ServerApp.port_retries": 0,
            "--ServerApp.root_dir": self.folder,
            "--LabApp.expose_app_in_browser": True,
        }
        with self.log_path.open("wb") as log:
            return subprocess.Popen(
                [*command, *(f"{name}={value}" for name, value in options.items())],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            raise ChildProcessError(f"exit status {self._process.returncode}")
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            return bool(self.request("/api/status"))
        return False


def write_notebook(path: Path, cells: list[str]) -> None:
    """Write a notebook of code cells for the Python kernel."""
    import nbformat

    notebook = nbformat.v4.new_notebook(  # type: ignore[no-untyped-call]
        cells=[nbformat.v4.new_code_cell(code) for code in cells],  # type: ignore[no-untyped-call]
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    path.write_text(nbformat.writes(notebook))  # type: ignore[no-untyped-call]


def leftovers(lab: JupyterLab) -> list[str]:
    """Name the processes that an isolated server's notebooks have started and not ended.

    Every descendant inherits the server's runtime folder in its environment, also one that has
    made itself independent; kernels that still run are of the notebooks and are not counted.
    """
    return sorted(f"{process.pid} {_command(process)}" for process in _descendants(lab))


def leftover_sockets(lab: JupyterLab) -> list[str]:
    """Name the UNIX sockets that are left below an isolated server's runtime folder."""
    return sorted(str(path) for path in lab.home.rglob("*") if path.is_socket())


def _descendants(lab: JupyterLab) -> Iterator[Any]:
    import psutil

    mark = lab.environment["JUPYTER_RUNTIME_DIR"]
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid == lab.pid or process.environ().get("JUPYTER_RUNTIME_DIR") != mark:
                continue
            if process.status() != psutil.STATUS_ZOMBIE and "ipykernel" not in _command(process):
                yield process


def _command(process: Any) -> str:
    return " ".join(process.cmdline())


def free_port() -> int:
    """Find a port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
