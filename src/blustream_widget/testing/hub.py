"""A JupyterHub on loopback: dummy logins, users' servers as processes, its usual proxy."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from blustream_widget.testing.lab import PAGE_CONFIG, free_port
from blustream_widget.testing.waiting import wait_until

START_TIMEOUT_S = 100.0
_STOP_TIMEOUT_S = 15.0
_CONFIG = """
c.JupyterHub.authenticator_class, c.JupyterHub.spawner_class = "dummy", "simple"
c.JupyterHub.bind_url = {url!r}
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub_port}"
c.JupyterHub.db_url = "sqlite:///hub.sqlite"
c.JupyterHub.services.append({{"name": "tests", "api_token": {token!r}}})
c.JupyterHub.load_roles.append(
    {{"name": "tests", "services": ["tests"], "scopes": ["admin:users", "admin:servers"]}}
)
c.ConfigurableHTTPProxy.command = {proxy!r}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy_port}"
c.Authenticator.allow_all = True
c.Spawner.ip, c.Spawner.args = "127.0.0.1", ["--allow-root", "--LabApp.expose_app_in_browser=True"]
c.Spawner.start_timeout = c.Spawner.http_timeout = 100
c.Spawner.environment.update({environment!r})
c.SimpleLocalProcessSpawner.home_dir_template = {homes!r}
"""


class JupyterHub:
    """Started by the constructor, ended by `close`; a context manager.

    Parameters
    ----------
    config : str
        Lines of jupyterhub_config.py that name services, roles and the environment of servers;
        what tests need is written behind them.
    proxy : Path
        The program configurable-http-proxy.
    environment : dict
        Variables of users' servers, on top of what `config` says.

    Attributes
    ----------
    url : str
        "http://127.0.0.1:<port>".

    Raises
    ------
    RuntimeError
        If the Hub ends or does not answer in time; holds the end of its log.
    """

    def __init__(self, config: str, proxy: Path, environment: dict[str, str]) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self._token = secrets.token_hex(16)
        # A short name: below it are UNIX sockets, whose paths have 107 bytes at most.
        self.home = Path(tempfile.mkdtemp(prefix="bh-"))
        self.log_path = self.home / "hub.log"
        (self.home / "c" / "labconfig").mkdir(parents=True)
        (self.home / "c" / "labconfig" / "page_config.json").write_text(json.dumps(PAGE_CONFIG))
        more = _CONFIG.format(
            url=self.url,
            hub_port=free_port(),
            proxy_port=free_port(),
            token=self._token,
            proxy=["node", str(proxy)],
            environment={"JUPYTER_CONFIG_DIR": str(self.home / "c"), **environment},
            homes=str(self.home / "{username}"),
        )
        (self.home / "jupyterhub_config.py").write_text(config + more)
        self._process = self._start()
        try:
            wait_until(  # it makes a page for each question that comes too early
                self._answers, timeout_s=START_TIMEOUT_S, what="JupyterHub answers", every_s=0.5
            )
        except (ChildProcessError, TimeoutError) as exc:
            log = self.log_tail()
            self.close()
            raise RuntimeError(f"JupyterHub did not start:\n{log}") from exc
        except BaseException:  # Ctrl-C is no failure of its own
            self.close()
            raise

    def folder(self, user: str) -> Path:
        """Home of a user, which their JupyterLab shows."""
        path = self.home / user
        path.mkdir(exist_ok=True)
        return path

    def start_server(self, user: str) -> None:
        """Begin to start a user's server."""
        self.request(f"/hub/api/users/{user}", method="POST")
        self.request(f"/hub/api/users/{user}/server", method="POST")

    def wait_server(self, user: str) -> None:
        """Wait until a user's server is there."""
        request = self._to(f"/hub/api/users/{user}/server/progress")
        with urllib.request.urlopen(request, timeout=START_TIMEOUT_S) as events:
            for line in events:
                if b'"ready": true' in line:
                    return
        raise RuntimeError(f"The server of {user} did not start:\n{self.log_tail()}")

    def stop_server(self, user: str) -> None:
        """Stop a user's server."""
        self.request(f"/hub/api/users/{user}/server", method="DELETE")

    def request(self, path: str, *, method: str = "GET") -> Any:
        """Call the Hub's REST interface as an administrator; None where the answer is empty."""
        with urllib.request.urlopen(self._to(path, method), timeout=30) as response:
            body = response.read()
        return json.loads(body) if body else None

    def _to(self, path: str, method: str = "GET") -> urllib.request.Request:
        headers = {"Authorization": f"token {self._token}"}
        return urllib.request.Request(self.url + path, method=method, headers=headers)

    def log_tail(self, lines: int = 40) -> str:
        """Read the end of what the Hub, its proxy, services and servers wrote."""
        if not self.log_path.is_file():
            return ""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])

    def close(self) -> None:
        """End the Hub with all that it started, and remove its folder."""
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

    def _start(self) -> subprocess.Popen[bytes]:
        # Nothing of another Jupyter or of this user's settings, but the programs beside this one.
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("JUPYTER", "BLUSTREAM_", "JPY_"))
        }
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
        command = [sys.executable, "-m", "jupyterhub", "--config", "jupyterhub_config.py"]
        # A killed test run has no time to clean up: where the system can, it ends the Hub.
        if setpriv := shutil.which("setpriv"):
            command = [setpriv, "--pdeathsig", "TERM", *command]
        with self.log_path.open("wb") as log:
            return subprocess.Popen(
                command,
                cwd=self.home,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            raise ChildProcessError(f"exit status {self._process.returncode}")
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            return bool(self.request("/hub/api/"))
        return False
