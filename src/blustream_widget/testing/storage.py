"""S3 and Azure storage on loopback: moto and azurite, with volumes of the tests in them."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

from blustream_widget.testing.waiting import wait_until

BUCKET = "volumes"
ACCESS_KEY, SECRET_KEY = "AKIATESTOFBLUSTREAM0", "secret/of/the/tests/s3"
# Published with azurite; opens nothing but it.
_AZURITE = "devstoreaccount1"
_AZURITE_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
_START_S = 60.0


@dataclass(frozen=True)
class Storage:
    """A running server with a bucket."""

    scheme: str
    port: int

    @property
    def target(self) -> tuple[str, int]:
        """For `SlowNetwork`."""
        return "127.0.0.1", self.port

    def url(self, name: str) -> str:
        """Address of a volume."""
        return f"{self.scheme}://{BUCKET}/{name}"

    def connection(self, port: int | None = None) -> str:
        """Return a connection string with all credentials, straight or to a proxy's port."""
        at = f"http://127.0.0.1:{port or self.port}"
        if self.scheme == "s3":
            keys = f"AccessKeyId={ACCESS_KEY};SecretKey={SECRET_KEY}"
            return f"Region=us-east-1;EndpointOverride={at};{keys}"
        return (
            f"DefaultEndpointsProtocol=http;AccountName={_AZURITE};AccountKey={_AZURITE_KEY};"
            f"BlobEndpoint={at}/{_AZURITE};"
        )

    def environment(self, port: int | None = None) -> dict[str, str]:
        """Return the variables that say the same."""
        if self.scheme == "azure":
            return {"AZURE_STORAGE_CONNECTION_STRING": self.connection(port)}
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{port or self.port}",
        }

    def upload(self, path: Path, name: str) -> None:
        """Copy a VDS file into the bucket, with OpenVDS's own program."""
        tool = Path(sys.executable).with_name("VDSCopy")
        subprocess.run(
            [tool, str(path), self.url(name), "-d", self.connection()],
            check=True,
            capture_output=True,
            timeout=60,
        )


@contextlib.contextmanager
def s3_storage() -> Iterator[Storage]:
    """Run moto for the length of the block."""
    # In a process of its own: it must not wait for the interpreter lock of what is tested.
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p"]
    with _serving(command, {"AWS_EC2_METADATA_DISABLED": "true"}) as port:
        _send("PUT", f"http://127.0.0.1:{port}/{BUCKET}")
        yield Storage("s3", port)


@contextlib.contextmanager
def azure_storage(modules: Path) -> Iterator[Storage]:
    """Run azurite for the length of the block.

    Parameters
    ----------
    modules : Path
        The node_modules that it is installed in.
    """
    program = modules / ".bin" / "azurite-blob"
    options = ["--blobHost", "127.0.0.1", "--inMemoryPersistence", "--silent", "--disableTelemetry"]
    command = [str(program), *options, "--skipApiVersionCheck", "--blobPort"]
    with _serving(command, {}) as port:
        path, query = f"/{_AZURITE}/{BUCKET}", {"restype": "container"}
        _send(
            "PUT",
            f"http://127.0.0.1:{port}{path}?{urllib.parse.urlencode(query)}",
            _shared_key("PUT", path, query),
        )
        yield Storage("azure", port)


@contextlib.contextmanager
def _serving(command: list[str], environment: Mapping[str, str]) -> Iterator[int]:
    """Run `command PORT` until it listens, and end it after the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    process = subprocess.Popen(
        [*command, str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **environment},
    )
    try:
        wait_until(lambda: _listens(port), timeout_s=_START_S, what=f"{command[0]} to listen")
        yield port
    finally:
        process.terminate()
        try:
            process.wait(10.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True


def _send(method: str, url: str, headers: Mapping[str, str] | None = None) -> None:
    request = urllib.request.Request(url, method=method, headers=dict(headers or {}), data=b"")
    urllib.request.urlopen(request, timeout=10).close()


def _shared_key(method: str, path: str, query: Mapping[str, str]) -> dict[str, str]:
    """Sign a request without content as Azure's documentation of "Shared Key" has it."""
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
    lines = "".join(f"{name}:{value}\n" for name, value in sorted(headers.items()))
    resource = f"/{_AZURITE}{path}" + "".join(f"\n{k}:{v}" for k, v in sorted(query.items()))
    kind = "application/x-www-form-urlencoded"  # what urllib says of a request with data
    text = f"{method}\n\n\n\n\n{kind}\n\n\n\n\n\n\n{lines}{resource}"
    key = base64.b64decode(_AZURITE_KEY)
    signature = base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode()
    return {**headers, "Content-Type": kind, "Authorization": f"SharedKey {_AZURITE}:{signature}"}


def account_sas() -> str:
    """Return a signature that may read everything in azurite, without "?"."""
    start, end, version = "2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z", "2020-12-06"
    text = "\n".join([_AZURITE, "rl", "b", "sco", start, end, "", "", version, "", ""])
    key = base64.b64decode(_AZURITE_KEY)
    signature = base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode()
    return urllib.parse.urlencode(
        {"sv": version, "ss": "b", "srt": "sco", "sp": "rl"}
        | {"st": start, "se": end, "sig": signature}
    )
