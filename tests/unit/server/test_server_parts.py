"""Small parts of the server: lifetime, ICE settings, proxy entry, runtime files."""

import json
import logging
from pathlib import Path

import pytest

from blustream_widget._version import __version__
from blustream_widget.config import Config
from blustream_widget.errors import ConfigError
from blustream_widget.server import discovery, main, proxy
from blustream_widget.server.ice import parse_ice_servers
from blustream_widget.server.lifetime import Lifetime
from blustream_widget.server.runtime_files import answers, read_address, runtime_files
from blustream_widget.session.audit import Audit


async def test_the_server_ends_when_its_last_user_has_left():
    lifetime = Lifetime(0.0)
    with lifetime.user():
        lifetime.enter()
        lifetime.leave()
        assert not lifetime.ended.is_set()
    await lifetime.ended.wait()


async def test_a_new_user_stops_the_countdown():
    lifetime = Lifetime(60)
    with lifetime.user():
        pass
    lifetime.enter()
    assert lifetime._timer is None
    lifetime.end()
    assert lifetime.ended.is_set()


def test_ice_servers_are_passed_to_the_browser_as_they_were_given():
    text = '[{"urls": ["stun:a:1", "turns:b:2"], "username": "u", "credential": "c"}]'
    assert parse_ice_servers(text) == tuple(json.loads(text))
    assert parse_ice_servers("") == ()


@pytest.mark.parametrize(
    "text", ["{", "{}", '[{"url": "stun:a"}]', '[{"urls": "http://a"}]', '[{"urls": 3}]']
)
def test_ice_servers_that_are_none_are_refused_by_name(text):
    with pytest.raises(ConfigError, match="BLUSTREAM_ICE_SERVERS"):
        parse_ice_servers(text)


def test_files_carry_the_version_so_that_two_versions_live_side_by_side(tmp_path):
    tmp_path.chmod(0o700)
    files = runtime_files(Config(runtime_dir=str(tmp_path)))
    assert all(f"-{__version__}." in path.name for path in files)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"socket": "x"}'])
def test_a_half_written_address_is_none(tmp_path, content):
    tmp_path.chmod(0o700)
    files = runtime_files(Config(runtime_dir=str(tmp_path)))
    files.info.write_text(content)
    assert read_address(files) is None


def test_nothing_answers_where_nothing_listens(tmp_path):
    assert not answers(tmp_path / "none.sock")
    (tmp_path / "file.sock").touch()
    assert not answers(tmp_path / "file.sock")


def test_the_secret_of_a_killed_server_is_never_used_with_its_successor(tmp_path, monkeypatch):
    tmp_path.chmod(0o700)
    config = Config(runtime_dir=str(tmp_path))
    files = runtime_files(config)

    def write(secret):
        files.info.write_text(json.dumps({"socket": str(files.socket), "secret": secret}))

    def successor_answers(path):
        write("new")
        return True

    write("old")
    monkeypatch.setattr(discovery, "answers", successor_answers)
    assert discovery.find_server(config) is None
    address = discovery.find_server(config)
    assert address is not None
    assert address.secret == "new"


def test_a_server_gets_the_settings_and_no_credentials_of_jupyter_or_clouds(monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_PROFILE", "mine")
    env = discovery._environment(Config(ice_loopback=True, idle_s=3.5, encoder="libx264"))
    assert "JUPYTERHUB_API_TOKEN" not in env
    # They go with the volume that they are for, also the name of the profile.
    assert "AWS_SECRET_ACCESS_KEY" not in env
    assert "AWS_PROFILE" not in env
    assert env["BLUSTREAM_ICE_LOOPBACK"] == "true"
    assert env["BLUSTREAM_IDLE_S"] == "3.5"
    assert env["BLUSTREAM_ENCODER"] == "libx264"


def test_the_proxy_leads_to_the_socket_and_takes_credentials_away(tmp_path, monkeypatch):
    tmp_path.chmod(0o700)
    monkeypatch.setenv("BLUSTREAM_RUNTIME_DIR", str(tmp_path))
    settings = proxy.setup()
    assert Path(settings["unix_socket"]).parent == tmp_path
    assert settings["request_headers_override"] == {"Cookie": "", "Authorization": ""}
    assert settings["command"] == []


def test_the_proxy_sends_without_delay_and_counts_as_activity():
    class Handler:
        ws_connection = object()
        calls = 0

        def set_nodelay(self, value):
            assert value
            self.calls += 1

    handler = Handler()
    assert [proxy.send_without_delay(handler) for _ in range(3)] == [True, True, True]
    assert handler.calls == 1


def test_the_proxy_waits_with_it_until_there_is_a_websocket():
    class Handler:
        ws_connection = None

    assert proxy.send_without_delay(Handler())


@pytest.fixture
def log_level():
    yield
    logging.getLogger("blustream_widget").setLevel(logging.NOTSET)


@pytest.mark.usefixtures("log_level")
def test_the_audit_is_a_file_of_its_own_and_names_are_in_no_other(tmp_path):
    tmp_path.chmod(0o700)
    files = runtime_files(Config(runtime_dir=str(tmp_path)))
    for person in ("Mei", "Eve"):  # two servers, one after the other
        with main._logging_to(files, "INFO"):
            Audit("5" * 32, lambda: None, clock=lambda: 1.5).note("joined", "b", person, "viewer")
    lines = [json.loads(line) for line in files.audit.read_text().splitlines()]
    assert lines[0] == {
        "session": "5" * 32,
        "at_ms": 1500.0,
        "what": "joined",
        "who": "b",
        "name": "Mei",
        "role": "viewer",
        "detail": "",
    }
    assert [line["name"] for line in lines] == ["Mei", "Eve"]
    assert files.audit.stat().st_mode & 0o777 == 0o600
    assert files.log.read_text().count("b as viewer joined") == 2
    assert "Mei" not in files.log.read_text()
