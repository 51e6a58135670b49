"""What of the kernel's environment goes with a cloud volume, and how."""

from __future__ import annotations

import pytest

from blustream_widget.cloud_env import with_environment, words_of
from blustream_widget.core.types import VolumeRef

KEYS = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s/=+", "AWS_SESSION_TOKEN": "t=="}


def test_keys_of_the_environment_go_into_the_connection():
    connection, environment = with_environment("s3://b/v", "", {**KEYS, "AWS_REGION": "eu-west-1"})
    assert connection == "AccessKeyId=AKIA;SecretKey=s/=+;SessionToken=t=="
    assert environment == {"AWS_REGION": "eu-west-1"}


@pytest.mark.parametrize(
    "given", ["AccessKeyId=mine;SecretKey=x", "Profile=lab", "Region=r;Anonymous=true"]
)
def test_what_the_user_gives_wins_over_the_environment(given):
    assert with_environment("s3://b/v", given, KEYS)[0] == given


def test_a_region_in_the_connection_is_completed_with_keys():
    connection, _ = with_environment("s3://b/v", "Region=eu-west-1;", KEYS)
    assert words_of(connection) == {
        "region": "eu-west-1",
        "accesskeyid": "AKIA",
        "secretkey": "s/=+",
        "sessiontoken": "t==",
    }


@pytest.mark.parametrize("url", ["/data/v.vds", "https://host/v", "gs://b/v", "azure://c/v"])
def test_keys_go_only_where_they_belong(url, tmp_path):
    environ = {**KEYS, "AZURE_CONFIG_DIR": str(tmp_path)}
    assert with_environment(url, "", environ) == ("", {})


@pytest.mark.parametrize(
    ("environ", "connection"),
    [
        (
            {"AZURE_STORAGE_CONNECTION_STRING": "AccountName=a;AccountKey=k"},
            "AccountName=a;AccountKey=k",
        ),
        (
            {"AZURE_STORAGE_ACCOUNT": "a", "AZURE_STORAGE_KEY": "k=="},
            "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=k==;"
            "EndpointSuffix=core.windows.net",
        ),
        (
            {"AZURE_STORAGE_ACCOUNT": "a", "AZURE_STORAGE_SAS_TOKEN": "?sv=1&sig=x"},
            "BlobEndpoint=https://a.blob.core.windows.net;SharedAccessSignature=sv=1&sig=x",
        ),
        ({"AZURE_STORAGE_ACCOUNT": "a"}, "BlobEndpoint=https://a.blob.core.windows.net"),
        ({}, ""),
    ],
)
def test_azure_s_variables_become_a_connection_string(environ, connection, tmp_path):
    environ = {**environ, "AZURE_CONFIG_DIR": str(tmp_path)}
    assert with_environment("azure://c/v", "", environ)[0] == connection


def test_azure_s_configuration_file_is_read(tmp_path):
    (tmp_path / "config").write_text("[storage]\naccount = a\nkey = k\n")
    connection, _ = with_environment("azure://c/v", "", {"AZURE_CONFIG_DIR": str(tmp_path)})
    assert words_of(connection)["accountkey"] == "k"


def test_a_reference_does_not_show_what_it_holds():
    ref = VolumeRef("s3://b/v?sig=hidden", "SecretKey=hidden", environment={"A": "hidden"})
    assert "hidden" not in f"{ref!r} {ref}"
