"""What processes inherit: nothing of Jupyter, and no credentials where volumes are opened."""

from __future__ import annotations

from blustream_widget.config import server_environment, worker_environment

_JUPYTER = {
    "JUPYTERHUB_API_TOKEN": "x",
    "JUPYTERHUB_CLIENT_ID": "x",
    "JPY_API_TOKEN": "x",
    "JPY_PARENT_PID": "1",
    "JUPYTER_TOKEN": "x",
}
_KEPT = {"JUPYTER_RUNTIME_DIR": "/r", "AWS_PROFILE": "p", "BLUSTREAM_VOLUME_ROOTS": "/v"}


def test_credentials_stay_where_they_are_needed(monkeypatch) -> None:
    for name, value in {**_JUPYTER, **_KEPT, "BLUSTREAM_ICE_SERVERS": "[]"}.items():
        monkeypatch.setenv(name, value)
    server, worker = server_environment(), worker_environment()
    assert not _JUPYTER.keys() & server.keys()
    assert not _JUPYTER.keys() & worker.keys()
    assert server.items() >= _KEPT.items()
    assert worker.items() >= _KEPT.items()
    assert "BLUSTREAM_ICE_SERVERS" in server
    assert "BLUSTREAM_ICE_SERVERS" not in worker
