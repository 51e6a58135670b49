"""Messages that OpenVDS 3.4.9 was seen to give, and what users read."""

from __future__ import annotations

import pytest

from blustream_widget.data.openvds_errors import translate, translate_storage
from blustream_widget.errors import (
    ConfigError,
    NoCredentialsError,
    StorageUnreachableError,
    VolumeAccessError,
    VolumeFormatError,
    VolumeNotFoundError,
)

DOWN = "Error on downloading VolumeDataLayout object: "
HTTP = DOWN + "Http error response: {} -> https://h:40404/b/v/VolumeDataLayout?sig=hidden: "
CURL = DOWN + "CURL error received for: 'http://h/v?sig=hidden'. CURL error code: {}, CURL error"


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        (DOWN + "unexpected AWS signing failure", NoCredentialsError, "AWS credentials"),
        (
            "Azure Config error. Must provide a connection string or a bearer token",
            NoCredentialsError,
            "Azure credentials",
        ),
        (
            "Google Cloud Storage Config error. Unable to generate Authorization Header.",
            NoCredentialsError,
            "Google credentials",
        ),
        ('Invalid key "profile" in S3 connection string.', ConfigError, "word 'profile'"),
        (HTTP.format(404) + "The specified key does not exist.", VolumeNotFoundError, "no volume"),
        (HTTP.format(404) + "The specified bucket does not exist", VolumeNotFoundError, "bucket"),
        (DOWN + "404 The specified container does not exist.", VolumeNotFoundError, "container"),
        (HTTP.format(403), VolumeAccessError, "the storage refuses"),
        (
            DOWN + "403 Server failed to authenticate the request.",
            VolumeAccessError,
            "the storage refuses",
        ),
        (HTTP.format(400) + "The provided token has expired.", VolumeAccessError, "expired"),
        (
            HTTP.format(403) + "The difference between the request time and the server's time is "
            "too large.",
            VolumeAccessError,
            "clock",
        ),
        (
            HTTP.format(400) + "the region 'us-east-1' is wrong; expecting 'eu-west-1'",
            VolumeAccessError,
            "eu-west-1",
        ),
        ("Could not resolve region for s3://bb", StorageUnreachableError, "region"),
        (HTTP.format(503) + "Slow down", StorageUnreachableError, "busy"),
        (CURL.format(6), StorageUnreachableError, "name resolution"),
        (
            DOWN + "Fail to get a new connection for: https://a. Couldn't resolve host name",
            StorageUnreachableError,
            "name resolution",
        ),
        (CURL.format(7), StorageUnreachableError, "takes no connections"),
        (CURL.format(28), StorageUnreachableError, "does not answer"),
        (CURL.format(35), StorageUnreachableError, "TLS"),
        (CURL.format(60), StorageUnreachableError, "TLS"),
        (CURL.format(52), StorageUnreachableError, "broke"),
        (CURL.format(56), StorageUnreachableError, "broke"),
        (
            DOWN + "Error while reading from network socket. CURLE code: 56. Failure when",
            StorageUnreachableError,
            "broke",
        ),
        ("Couldn't read file table", VolumeFormatError, "not a readable VDS"),
    ],
)
def test_each_message_has_its_kind_and_shows_no_secret(text, kind, words):
    error = translate(RuntimeError(text), "v")
    assert type(error) is kind
    assert words in str(error)
    assert "hidden" not in str(error)
    assert error.hint or kind is VolumeNotFoundError


def test_a_damaged_volume_is_not_blamed_on_the_storage():
    assert translate_storage("Failed to deserialize the layout", "v") is None
