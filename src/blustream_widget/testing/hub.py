"""A JupyterHub on loopback: dummy logins, users' servers as processes, its usual proxy."""

from __future__ import annotations

import os
import re
import secrets
import sys
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote

from blustream_widget.testing.jupyter_process import JupyterProcess
from blustream_widget.testing.lab import free_port
from blustream_widget.testing.waiting import wait_until

START_TIMEOUT_S = 100.0
_LOOK_S = 0.5  # it makes a page for each question that comes too early
_CONFIG = """
c.JupyterHub.authenticator_class, c.JupyterHub.spawner_class = "dummy", "simple"
c.JupyterHub.bind_url = {url!r}
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub_port}"
c.JupyterHub.db_url = "sqlite:///hub.sqlite"
c.JupyterHub.services.append({{"name": "tests", "api_token": {token!r}}})
c.JupyterHub.load_roles.append(
    {{"name": "tests", "services": ["tests"],
     "scopes": ["admin:users", "admin:servers", "proxy", "tokens"]}}
)
c.ConfigurableHTTPProxy.command = {proxy!r}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy_port}"
c.Authenticator.allow_all = True
c.Spawner.ip, c.Spawner.args = "127.0.0.1", ["--allow-root", "--LabApp.expose_app_in_browser=True"]
c.Spawner.start_timeout = c.Spawner.http_timeout = 100
c.Spawner.environment.update({environment!r})
c.SimpleLocalProcessSpawner.home_dir_template = {homes!r}
"""


class JupyterHub(JupyterProcess):
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
    domain : str
        Users and services have subdomains of this one; "" = they have none. Chromium finds those
        of `localhost` by itself.
    base : str
        Path below which the Hub and all of its servers are.
    port : int
        Of the proxy; 0 takes a free one.
    more : str
        Lines of jupyterhub_config.py that come last: another authenticator, for example.

    Raises
    ------
    RuntimeError
        If the Hub ends or does not answer in time; holds the end of its log.
    """

    def __init__(
        self,
        config: str,
        proxy: Path,
        environment: dict[str, str],
        *,
        domain: str = "",
        base: str = "/",
        port: int = 0,
        more: str = "",
    ) -> None:
        port = port or free_port()
        # Its REST interface is asked where it listens itself, if names have no meaning here.
        hub_port = free_port()
        self._base = base
        super().__init__(
            f"http://127.0.0.1:{hub_port if domain else port}", secrets.token_hex(16), prefix="bh-"
        )
        self._service = re.search(r'BLUSTREAM_HUB_SERVICE": "([^"]+)"', config)
        if domain:
            config += f'c.JupyterHub.subdomain_host = "http://{domain}:{port}"\n'
        own = _CONFIG.format(
            url=f"http://127.0.0.1:{port}{base}",
            hub_port=hub_port,
            proxy_port=free_port(),
            token=self._token,
            proxy=["node", str(proxy)],
            environment={"JUPYTER_CONFIG_DIR": str(self._configure_pages()), **environment},
            homes=str(self.home / "{username}"),
        )
        (self.home / "jupyterhub_config.py").write_text(config + own + more)
        self._start(
            *("jupyterhub", "--config", "jupyterhub_config.py"),
            folder=self.home,
            environment=_bare_environment(),
            answers_at=f"{self._base}hub/api/",
            timeout_s=START_TIMEOUT_S,
            every_s=_LOOK_S,
        )
        if self._service is not None:
            self._wait_routed()

    def _wait_routed(self) -> None:
        """Wait until the proxy leads to services: it is told later than the Hub answers.

        A page that is opened in between is the Hub's "not found", and stays it.
        """
        try:
            wait_until(
                lambda: any("service" in r["data"] for r in self.request(self._routes).values()),
                timeout_s=START_TIMEOUT_S,
                what="the proxy's way to the service",
            )
        except Exception:
            self.close()
            raise

    def folder(self, user: str) -> Path:
        """Home of a user, which their JupyterLab shows."""
        path = self.home / user
        path.mkdir(exist_ok=True)
        return path

    def environment_of(self, user: str) -> dict[str, str]:
        """Variables with which a user's server finds the service, without such a server."""
        self.request(self._user(user), method="POST")
        made = self.request(f"{self._user(user)}/tokens", method="POST")
        assert self._service is not None
        service = self._service[1].replace("/services/", f"{self._base}services/")
        return {
            "JUPYTERHUB_API_TOKEN": made["token"],
            "JUPYTERHUB_USER": user,
            "BLUSTREAM_HUB_SERVICE": service,
        }

    @property
    def _routes(self) -> str:
        return f"{self._base}hub/api/proxy"

    def _user(self, name: str) -> str:
        return f"{self._base}hub/api/users/{quote(name)}"

    def start_server(self, user: str) -> None:
        """Begin to start a user's server."""
        self.request(self._user(user), method="POST")
        self.request(f"{self._user(user)}/server", method="POST")

    def wait_server(self, user: str) -> None:
        """Wait until a user's server is there."""
        request = self._to(f"{self._user(user)}/server/progress")
        with urllib.request.urlopen(request, timeout=START_TIMEOUT_S) as events:
            for line in events:
                if b'"ready": true' in line:
                    return
        raise RuntimeError(f"The server of {user} did not start:\n{self.log_tail()}")

    def stop_server(self, user: str) -> None:
        """Stop a user's server."""
        self.request(f"{self._user(user)}/server", method="DELETE")


def _bare_environment() -> dict[str, str]:
    """Nothing of another Jupyter or of this user's settings, but the programs beside this one."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUPYTER", "BLUSTREAM_", "JPY_"))
    }
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    return environment
