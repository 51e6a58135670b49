"""Credentials of TURN servers: made for a time, and to guests nothing that lasts."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from blustream_widget.config import Config, worker_environment
from blustream_widget.errors import ConfigError
from blustream_widget.server.ice import load_settings
from blustream_widget.transport.ice_servers import ice_servers_for

STUN = {"urls": "stun:stun.example.org"}
TURN = {"urls": ["turn:turn.example.org?transport=udp", "turns:turn.example.org?transport=tcp"]}
STATIC = {"urls": "turn:old.example.org", "username": "u", "credential": "for ever"}
CONFIG = Config(turn_secret="s3cr3t", turn_lifetime_s=600)


def test_credentials_are_those_of_the_secret_and_end():
    stun, turn = ice_servers_for("owner", (STUN, TURN), CONFIG, now_s=1000.7)
    assert stun == STUN
    assert (turn["urls"], turn["username"]) == (TURN["urls"], "1600:owner")
    digest = hmac.new(b"s3cr3t", b"1600:owner", hashlib.sha1).digest()
    assert turn["credential"] == base64.b64encode(digest).decode()
    assert "s3cr3t" not in str(turn)


def test_guests_get_no_credentials_that_last():
    (stun, turn) = ice_servers_for("f00", (STUN, STATIC, TURN), CONFIG, is_guest=True)
    assert stun == STUN
    assert turn["username"].endswith(":f00")
    assert ice_servers_for("owner", (STATIC,), CONFIG) == (STATIC,)


def test_without_a_secret_servers_are_as_they_were_given():
    assert ice_servers_for("owner", (STUN, TURN, STATIC), Config()) == (STUN, TURN, STATIC)


def test_relays_alone_need_a_relay(monkeypatch):
    monkeypatch.setenv("BLUSTREAM_ICE_RELAY_ONLY", "1")
    monkeypatch.setenv("BLUSTREAM_ICE_SERVERS", '[{"urls": "stun:stun.example.org"}]')
    with pytest.raises(ConfigError, match="no TURN server"):
        load_settings()
    monkeypatch.setenv("BLUSTREAM_ICE_SERVERS", '[{"urls": "turn:turn.example.org"}]')
    config, _ = load_settings()
    assert config.ice_relay_only


def test_workers_do_not_have_the_secret(monkeypatch):
    monkeypatch.setenv("BLUSTREAM_TURN_SECRET", "s3cr3t")
    assert "s3cr3t" not in worker_environment().values()
