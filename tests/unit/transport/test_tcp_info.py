"""TcpInfo: what Linux tells of a real connection over loopback."""

import socket
import sys

import pytest

from blustream_widget.transport.tcp_info import TcpInfo, tcp_reader


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_a_connection_tells_its_round_trip_and_its_segments():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
    with near, far:
        far.sendall(b"x" * 1000)
        assert len(near.recv(1000)) > 0
        read = tcp_reader(far)
        info = read()
    assert 0 < info.round_trip_s < 0.5
    assert info.n_segments >= 1
    assert (info.n_lost, info.unsent_bytes) == (0, 0)
    assert info.pacing_bps > 1e5
    assert not info.is_repairing
    assert read() is None  # closed


def test_what_is_no_tcp_tells_nothing():
    near, far = socket.socketpair()
    with near, far:
        assert tcp_reader(near) is None
    assert tcp_reader(None) is None


def test_an_old_system_that_tells_less_is_not_believed():
    assert TcpInfo.unpack(bytes(100)) is None
