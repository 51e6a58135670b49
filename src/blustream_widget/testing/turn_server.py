"""A real TURN server (coturn) on loopback for tests, with a shared secret."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import ipaddress
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from blustream_widget.testing.waiting import wait_until

SECRET = "a secret of tests alone"


class TurnServer(NamedTuple):
    """Where it listens; `certificate` is its own for 127.0.0.1, a file of PEM."""

    port: int
    tls_port: int
    certificate: Path

    def url(self, way: str) -> str:
        """Address for "udp", "tcp" or "tls"."""
        if way == "tls":
            return f"turns:127.0.0.1:{self.tls_port}?transport=tcp"
        return f"turn:127.0.0.1:{self.port}?transport={way}"

    @property
    def browser_option(self) -> str:
        """Of Chromium's command line: it takes this certificate, which nobody signed."""
        certificate = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        key = certificate.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        digest = base64.b64encode(hashlib.sha256(key).digest()).decode()
        return f"--ignore-certificate-errors-spki-list={digest}"


@contextmanager
def turn_server(folder: Path) -> Iterator[TurnServer]:
    """Run coturn for the length of the block; its files are in `folder`."""
    _make_certificate(folder)
    turn = TurnServer(*_free_ports(), folder / "cert.pem")
    options = [
        *("-n", "--no-cli", "--no-stdout-log", "--no-multicast-peers", "--fingerprint"),
        *("--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--allow-loopback-peers"),
        *(f"--listening-port={turn.port}", f"--tls-listening-port={turn.tls_port}"),
        *("--use-auth-secret", f"--static-auth-secret={SECRET}", "--realm=blustream.test"),
        *(f"--cert={turn.certificate}", f"--pkey={folder / 'key.pem'}"),
        *(f"--pidfile={folder / 'pid'}", f"--log-file={folder / 'log'}"),
        f"--db={folder / 'db'}",
    ]
    process = subprocess.Popen(["turnserver", *options], stdout=subprocess.DEVNULL)
    try:
        ports = (turn.port, turn.tls_port)
        wait_until(lambda: all(map(_answers, ports)), timeout_s=30, what="coturn")
        yield turn
    finally:
        process.terminate()
        process.wait(30)


def _make_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "key.pem").write_bytes(pem)


def _free_ports() -> tuple[int, int]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(2)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        first, second = (each.getsockname()[1] for each in sockets)
        return first, second


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
