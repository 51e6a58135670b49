"""Settings from the environment, read once per process, checked, with their defaults."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import msgspec

from blustream_widget.errors import ConfigError

# A UNIX socket's path has at most 107 bytes on Linux (103 on macOS).
_SOCKET_PATH_MAX = 100

# Credentials and ties of the Jupyter process above us: neither the server nor its workers need
# them, and what a process inherits it could leak.
_OF_JUPYTER = ("JUPYTERHUB_", "JPY_", "JUPYTER_TOKEN")

# Credentials of cloud storage: they go with the volume that needs them, through a socket.
_OF_CLOUD = frozenset(
    {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_SECURITY_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AZURE_STORAGE_CONNECTION_STRING",
        "AZURE_STORAGE_KEY",
        "AZURE_STORAGE_SAS_TOKEN",
        "AZURE_CLIENT_SECRET",
        "AZURE_CLIENT_CERTIFICATE_PASSWORD",
        "AZURE_PASSWORD",
    }
)

# Settings with credentials that the server alone needs.
_OURS = (
    "BLUSTREAM_ICE_SERVERS",
    "BLUSTREAM_TURN_SECRET",
    "BLUSTREAM_SFU",
    "BLUSTREAM_CALL_SFU",
)

# Variables by which a worker finds credentials that lie elsewhere, by scheme. No secrets but the
# last of AWS, with which a container asks for its role's keys: only the chain itself can use it.
CLOUD_NAMES = {
    "s3": (
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_EC2_METADATA_DISABLED",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    ),
    "gs": ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT", "CLOUDSDK_CONFIG"),
}

TRANSPORTS = ("websocket", "webrtc", "comm")


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of all processes; each is `BLUSTREAM_<NAME>` in the environment.

    Parameters
    ----------
    runtime_dir : str
        Folder (mode 0700) of the server's socket, secret and log; "" = `blustream` in Jupyter's.
    encoder : str
        Only this encoder, for example "libx264"; "" = the first that works.
    cache_bytes : int
        Budget of decoded bricks per worker; 0 = a quarter of the memory, at most 2 GB.
    server_grace_s, session_grace_s, idle_s : float
        How long the server lives with nobody, a session without its kernel, a worker without
        viewers.
    spare_workers : int
        Warm workers kept for the next viewer.
    standby_s : float
        So long after its start a server has a second process wait, which takes its place at once
        if it is killed; 0 = never.
    transports : str
        Comma-separated subset of "websocket,webrtc,comm" that viewers may use.
    ice_servers : str
        JSON list of RTCIceServer objects; "" = none is asked.
    turn_secret : str
        Shared with the TURN servers (coturn: `static-auth-secret`), for those of `ice_servers` that
        have no credentials: browsers get some that end. Never leaves the server's process.
    turn_lifetime_s : float
        How long these are good for.
    ice_relay_only : bool
        WebRTC through TURN servers only.
    ice_loopback : bool
        WebRTC over 127.0.0.1 only (tests; browser and server on one machine).
    volume_roots : str
        Folders, separated by os.pathsep, below which local files may be opened; "" = anywhere.
        Remote addresses and arrays of the user's own kernels are not limited by it.
    recordings_dir : str
        Folder of recordings whose user names none; "" = `blustream-recordings` in the home folder.
    recording_max_bytes, recording_max_s, recording_min_free_bytes : int, float, int
        A recording ends, whole, when it is this large or long, or when its disk has less left.
    recordings_keep_days, recordings_total_bytes : float, int
        Recordings in that folder that are older, or the oldest of more bytes, are removed when
        another one begins; 0 = never.
    sfu : str
        Where `viewer.publish()` publishes views: JSON of a `Janus` or `LiveKit` with its "type",
        for example {"type": "janus", "url": "http://127.0.0.1:8088/janus"}. Its secrets never
        leave the server's process. "" = each user says where.
    own_views : int
        People of one session who may look around on their own at a time, each with a worker.
    calls : bool
        Whether people of a shared view may talk to each other, by microphone and camera.
    call_sfu : str
        The SFU that calls of more people than six go through: JSON of a `CallSfu`, for example
        {"type": "janus", "url": "http://127.0.0.1:8088/janus"}. Its secrets never leave the
        server's process. "" = calls are from browser to browser, of six at most.
    owner_name : str
        What guests see the owner called; "" = their name at JupyterHub, else "Owner".
    guest_url : str
        Address of the page for guests, where the page that shows the viewer cannot tell it, for
        example "https://jupyter.example.org/blustream/guest".
    hub_service : str
        Address of JupyterHub's service for guests (`blustream hub-service`), as kernels and the
        server reach it, for example "http://127.0.0.1:10101/services/blustream/"; "" = there is
        none, and guests come to this Jupyter server.
    log_level : str
    """

    runtime_dir: str = ""
    encoder: str = ""
    cache_bytes: int = 0
    server_grace_s: float = 10.0
    session_grace_s: float = 10.0
    idle_s: float = 30.0
    spare_workers: int = 1
    standby_s: float = 5.0
    transports: str = "websocket,webrtc,comm"
    ice_servers: str = ""
    turn_secret: str = ""
    turn_lifetime_s: float = 12 * 3600.0
    ice_relay_only: bool = False
    ice_loopback: bool = False
    volume_roots: str = ""
    recordings_dir: str = ""
    recording_max_bytes: int = 4 * 1024**3
    recording_max_s: float = 2 * 3600.0
    recording_min_free_bytes: int = 1024**3
    recordings_keep_days: float = 0.0
    recordings_total_bytes: int = 0
    sfu: str = ""
    own_views: int = 4
    calls: bool = True
    call_sfu: str = ""
    owner_name: str = ""
    guest_url: str = ""
    hub_service: str = ""
    log_level: str = "INFO"


def load_config(environ: dict[str, str] | None = None) -> Config:
    """Read `BLUSTREAM_*` variables.

    Raises
    ------
    ConfigError
        Names the variable and what it may be.
    """
    env = dict(os.environ) if environ is None else environ
    values = {}
    for field in msgspec.structs.fields(Config):
        variable = f"BLUSTREAM_{field.name.upper()}"
        if variable in env:
            try:
                values[field.name] = msgspec.convert(env[variable], field.type, strict=False)
            except msgspec.ValidationError as exc:
                raise ConfigError(
                    f"{variable}={env[variable]!r} cannot be read: {exc}.",
                    hint=f"Unset it, or give a {field.type.__name__}.",
                ) from exc
    return Config(**values)


def server_environment() -> dict[str, str]:
    """Environment for a server: without what belongs to Jupyter or to the volumes of one kernel."""
    hidden = _OF_CLOUD.union(*CLOUD_NAMES.values())
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_OF_JUPYTER) and name not in hidden
    }


def worker_environment() -> dict[str, str]:
    """Environment for a worker, which opens untrusted files."""
    environment = server_environment()
    for name in _OURS:
        environment.pop(name, None)
    return environment


def runtime_dir(config: Config) -> Path:
    """Folder of the server's socket, made with mode 0700, short enough for a socket's path."""
    if config.runtime_dir:
        folder = Path(config.runtime_dir)
    else:
        from jupyter_core.paths import jupyter_runtime_dir

        folder = Path(jupyter_runtime_dir()) / "blustream"
        if len(str(folder)) > _SOCKET_PATH_MAX - 20:
            folder = Path(tempfile.gettempdir()) / f"blustream-{os.getuid()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.stat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise ConfigError(
            f"The folder {folder} can be read by others.",
            hint=f"Make it private: chmod 700 {folder}, or set BLUSTREAM_RUNTIME_DIR.",
        )
    return folder
