"""A JupyterLab server on loopback, in a process and with a configuration of its own."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from blustream_widget.testing.jupyter_process import JupyterProcess

_START_TIMEOUT_S = 60.0


class JupyterLab(JupyterProcess):
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
    token : str

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
        self.port = port or free_port()
        self.token = secrets.token_hex(16)
        super().__init__(f"http://{address}:{self.port}", self.token, prefix="bs-")
        self.folder = folder
        self.environment = {**os.environ, **(environment or {})}
        if isolated:
            self.environment |= self._isolation()
        self._address = address
        self._start(
            "jupyterlab",
            *self._options(),
            folder=folder,
            environment=self.environment,
            answers_at="/api/status",
            timeout_s=_START_TIMEOUT_S,
        )

    def notebook_url(self, name: str) -> str:
        """Address that opens the notebook `name` of the folder alone in a fresh workspace."""
        return f"{self.url}/lab/tree/{name}?token={self.token}&reset"

    def write_notebook(self, name: str, cells: list[str]) -> Path:
        """Make a notebook of code cells in the folder."""
        path = self.folder / name
        write_notebook(path, cells)
        return path

    def delete_sessions(self) -> None:
        """End every kernel."""
        for session in self.request("/api/sessions"):
            self.request(f"/api/sessions/{session['id']}", method="DELETE")

    def _isolation(self) -> dict[str, str]:
        return {
            "JUPYTER_CONFIG_DIR": str(self._configure_pages()),
            "JUPYTER_RUNTIME_DIR": str(self.home / "r"),
            "JUPYTER_DATA_DIR": str(self.home / "d"),
            "IPYTHONDIR": str(self.home / "i"),
        }

    def _options(self) -> list[str]:
        # The token goes by a file: every user can read a command line, and every kernel and what it
        # starts inherits the environment.
        secret = self.home / "token.json"
        secret.touch(mode=0o600)
        secret.write_text(json.dumps({"IdentityProvider": {"token": self.token}}))
        options = {
            "--config": secret,
            "--ServerApp.ip": self._address,
            "--ServerApp.port": self.port,
            "--ServerApp.port_retries": 0,
            "--ServerApp.root_dir": self.folder,
            "--LabApp.expose_app_in_browser": True,
        }
        return ["--no-browser", "--allow-root", *(f"{k}={v}" for k, v in options.items())]


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
