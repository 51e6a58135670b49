"""`blustream doctor`: what works on this machine, what does not, and why."""

from __future__ import annotations

import asyncio
import importlib.metadata as metadata
import os
import platform
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_core.paths import jupyter_config_path

from blustream_widget import front_end
from blustream_widget._version import __version__
from blustream_widget.config import load_config, runtime_dir
from blustream_widget.errors import BlustreamError
from blustream_widget.shared import shared_folder

_PACKAGES = (
    "openvds",
    "av",
    "aiortc",
    "aiohttp",
    "anywidget",
    "ipywidgets",
    "jupyter-server-proxy",
    "numpy",
)


@dataclass
class Finding:
    """One line of the report."""

    what: str
    ok: bool
    detail: str
    needed: bool = True


@dataclass
class Report:
    """What was found."""

    findings: list[Finding] = field(default_factory=list)

    @property
    def usable(self) -> bool:
        """Everything that is needed works."""
        return all(finding.ok for finding in self.findings if finding.needed)

    def text(self) -> str:
        """Lines for people: yes, no, or "-" for what is not needed."""
        lines = [
            f"blustream {__version__} on {platform.platform()}, Python {platform.python_version()}"
        ]
        for finding in self.findings:
            mark = "yes" if finding.ok else ("NO " if finding.needed else "-  ")
            lines.append(f"  {mark}  {finding.what:<24} {finding.detail}")
        return "\n".join(lines)


def examine() -> Report:
    """Try everything that the viewer needs, really, and say what happened."""
    report = Report()
    _packages(report)
    _encoders(report)
    _front_end(report)
    _extension(report)
    _folders(report)
    _relays(report)
    _sfu(report)
    return report


def _packages(report: Report) -> None:
    for name in _PACKAGES:
        try:
            report.findings.append(Finding(name, True, metadata.version(name)))
        except metadata.PackageNotFoundError:
            report.findings.append(Finding(name, False, f"not installed: pip install {name}"))


def _encoders(report: Report) -> None:
    from blustream_widget.encode.probe import candidates, probe_all

    forced = load_config().encoder
    known = {trial.name: trial.reason for trial in probe_all()}
    if forced and forced not in known:
        known |= {trial.name: trial.reason for trial in probe_all(candidates(forced))}
    working = [name for name, reason in known.items() if not reason]
    allowed = [forced] if forced else working
    chosen = next((name for name in allowed if name in working), "")
    for name, reason in known.items():
        detail = reason or ("works, in use" if name == chosen else "works")
        report.findings.append(Finding(name, not reason, detail, needed=False))
    if not chosen and forced:
        obstacle = (
            f"{forced}, which BLUSTREAM_ENCODER asks for, does not work here: unset it, or set "
            f"{working[0] if working else 'another'}; until then JPEG is sent"
        )
    else:
        obstacle = "none works: install PyAV from its wheel; until then JPEG is sent"
    report.findings.append(Finding("H.264 encoder", bool(chosen), chosen or obstacle))


def _front_end(report: Report) -> None:
    bundle = front_end.BUNDLE
    size = (
        f"{bundle.stat().st_size / 1024:.0f} kB"
        if bundle.is_file()
        else "not built: npm run build in js/"
    )
    report.findings.append(Finding("front-end bundle", bundle.is_file(), size))
    points = metadata.entry_points(group="jupyter_serverproxy_servers")
    found = any(point.name == "blustream" for point in points)
    detail = (
        "registered"
        if found
        else "not registered here: pictures go through the comm, which is slower"
    )
    report.findings.append(Finding("jupyter-server-proxy", found, detail, needed=False))


def _extension(report: Report) -> None:
    name = "blustream-widget.json"
    folders = [Path(folder) / "jupyter_server_config.d" for folder in jupyter_config_path()]
    found = next((folder for folder in folders if (folder / name).is_file()), None)
    detail = (
        f"enabled in {found}" if found else "not enabled here: pictures go through Jupyter's proxy"
    )
    report.findings.append(Finding("Jupyter extension", found is not None, detail, needed=False))


def _folders(report: Report) -> None:
    try:
        report.findings.append(Finding("runtime folder", True, str(runtime_dir(load_config()))))
    except (BlustreamError, OSError) as exc:
        report.findings.append(Finding("runtime folder", False, str(exc)))
    folder = shared_folder()
    free_gb = shutil.disk_usage(folder).free / 1e9
    report.findings.append(
        Finding("shared memory", free_gb > 0.1, f"{folder}, {free_gb:.1f} GB free")
    )
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    report.findings.append(Finding("processor cores", True, str(cores), needed=False))


def _relays(report: Report) -> None:
    """Ask TURN servers of the settings for a relay, as the server would."""
    from blustream_widget.server.ice import load_settings
    from blustream_widget.transport.ice_servers import ice_servers_for, relay_addresses

    try:
        config, servers = load_settings()
    except BlustreamError as exc:
        report.findings.append(Finding("STUN and TURN servers", False, str(exc)))
        return
    if not any(map(relay_addresses, servers)):
        return
    from blustream_widget.transport.turn_probe import relay_obstacle

    for server in ice_servers_for("doctor", servers, config):
        for url in relay_addresses(server):
            obstacle = asyncio.run(relay_obstacle(url, server))
            needed = config.ice_relay_only
            detail = obstacle or "gives a relay"
            report.findings.append(Finding(url, not obstacle, detail, needed=needed))


def _sfu(report: Report) -> None:
    """Publish nothing, and call nobody, for a moment at the SFUs of the settings."""
    from blustream_widget.session.call_relay import call_sfu_obstacle
    from blustream_widget.session.publishing import sfu_obstacle

    config = load_config()
    if config.sfu:
        obstacle = asyncio.run(sfu_obstacle(config))
        detail = obstacle or "takes views"
        report.findings.append(Finding("SFU", not obstacle, detail, needed=False))
    if config.call_sfu:
        obstacle = asyncio.run(call_sfu_obstacle(config))
        detail = obstacle or "takes calls"
        report.findings.append(Finding("SFU of calls", not obstacle, detail, needed=False))
