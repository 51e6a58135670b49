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
_KEPT = {"JUPYTER_RUNTIME_DIR": "/r", "HTTPS_PROXY": "p", "BLUSTREAM_VOLUME_ROOTS": "/v"}
_CLOUD = {
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_SESSION_TOKEN": "x",
    "AZURE_STORAGE_KEY": "x",
    "AZURE_STORAGE_CONNECTION_STRING": "x",
    "AWS_PROFILE": "of one kernel, not of the next",
}


def test_credentials_stay_where_they_are_needed(monkeypatch) -> None:
    for name, value in {**_JUPYTER, **_CLOUD, **_KEPT, "BLUSTREAM_ICE_SERVERS": "[]"}.items():
        monkeypatch.setenv(name, value)
    server, worker = server_environment(), worker_environment()
    assert not (_JUPYTER | _CLOUD).keys() & server.keys()
    assert not (_JUPYTER | _CLOUD).keys() & worker.keys()
    assert server.items() >= _KEPT.items()
    assert worker.items() >= _KEPT.items()
    assert "BLUSTREAM_ICE_SERVERS" in server
    assert "BLUSTREAM_ICE_SERVERS" not in worker
