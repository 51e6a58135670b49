"""What the Hub tells its service, and the errors where it has not."""

from __future__ import annotations

import pytest

from blustream_widget import cli
from blustream_widget.errors import ConfigError
from blustream_widget.hub_service.settings import load_hub_settings

OF_HUB = {
    "JUPYTERHUB_API_TOKEN": "secret",
    "JUPYTERHUB_API_URL": "http://127.0.0.1:8081/base/hub/api",
    "JUPYTERHUB_BASE_URL": "/base/",
    "JUPYTERHUB_CLIENT_ID": "service-share",
    "JUPYTERHUB_SERVICE_NAME": "share",
    "JUPYTERHUB_SERVICE_PREFIX": "/base/services/share/",
    "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:10101",
}


def test_all_of_it_comes_from_the_hub():
    settings = load_hub_settings(OF_HUB)
    assert (settings.host, settings.port) == ("127.0.0.1", 10101)
    assert settings.authorize_url == "/base/hub/api/oauth2/authorize"
    assert settings.callback_url == "/base/services/share/oauth_callback"
    assert settings.access_scopes == {"access:services", "access:services!service=share"}
    assert settings.public_url == ""
    assert load_hub_settings(OF_HUB, host="0.0.0.0").host == "0.0.0.0"


def test_a_hub_with_subdomains_or_a_public_address_says_where_it_is():
    subdomains = OF_HUB | {
        "JUPYTERHUB_HOST": "https://hub.example",
        "JUPYTERHUB_OAUTH_CALLBACK_URL": "https://services.hub.example/services/share/oauth_callback",
        "JUPYTERHUB_SERVICE_PREFIX": "/services/share/",
        "JUPYTERHUB_OAUTH_ACCESS_SCOPES": '["access:services!service=share"]',
    }
    settings = load_hub_settings(subdomains)
    assert settings.authorize_url == "https://hub.example/base/hub/api/oauth2/authorize"
    assert settings.public_url == "https://services.hub.example/services/share/"
    assert settings.access_scopes == {"access:services!service=share"}
    public = load_hub_settings(OF_HUB | {"JUPYTERHUB_PUBLIC_URL": "https://h/base/services/share"})
    assert public.public_url == "https://h/base/services/share/"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"JUPYTERHUB_API_TOKEN": ""}, "JUPYTERHUB_API_TOKEN is not set"),
        ({"JUPYTERHUB_SERVICE_URL": ""}, "JUPYTERHUB_SERVICE_URL is not set"),
        ({"JUPYTERHUB_SERVICE_URL": "https://127.0.0.1:1"}, "is not http://HOST:PORT"),
        ({"JUPYTERHUB_SERVICE_URL": "http://127.0.0.1"}, "is not http://HOST:PORT"),
        ({"JUPYTERHUB_OAUTH_ACCESS_SCOPES": "{"}, "no list of scopes"),
        ({"JUPYTERHUB_SSL_KEYFILE": "/k"}, "internal_ssl"),
    ],
)
def test_what_cannot_work_is_named(change, what):
    with pytest.raises(ConfigError, match=what):
        load_hub_settings(OF_HUB | change)


def test_the_command_outside_of_a_hub_is_one_line(capsys, monkeypatch):
    for name in OF_HUB:
        monkeypatch.delenv(name, raising=False)
    assert cli.main(["hub-service"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "no service of a JupyterHub" in line
    assert "c.JupyterHub.services" in line
