"""What becomes of an address and a connection string before OpenVDS sees them."""

from __future__ import annotations

import os
import sys

import pytest

from blustream_widget.cloud_env import words_of
from blustream_widget.config import CLOUD_NAMES
from blustream_widget.core.types import VolumeRef
from blustream_widget.data.cloud_access import Access, find_access
from blustream_widget.errors import MissingDependencyError


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in CLOUD_NAMES["s3"]:
        # Set first, so that what the code under test sets is undone too.
        monkeypatch.setenv(name, "x")
        monkeypatch.delenv(name)
    (tmp_path / ".aws").mkdir()
    return tmp_path


def test_region_and_endpoint_come_from_the_kernel_s_variables():
    environment = {"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://minio:9000/"}
    access = find_access(VolumeRef("s3://b/a/v", environment=environment))
    assert words_of(access.connection) == {
        "region": "eu-west-1",
        "endpointoverride": "http://minio:9000",
    }
    assert access.public_url == "http://minio:9000/b/a/v"


def test_the_connection_wins_over_variables_and_these_over_the_profile(home):
    (home / ".aws" / "config").write_text("[default]\nregion = profile-1\n")
    assert words_of(find_access(VolumeRef("s3://b/v")).connection)["region"] == "profile-1"
    environment = {"AWS_REGION": "variable-1"}
    ref = VolumeRef("s3://b/v", environment=environment)
    assert words_of(find_access(ref).connection)["region"] == "variable-1"
    ref = VolumeRef("s3://b/v", "Region=given-1", environment=environment)
    assert words_of(find_access(ref).connection)["region"] == "given-1"


def test_other_variables_of_a_reference_are_not_taken_over(monkeypatch):
    monkeypatch.delenv("LD_PRELOAD", raising=False)
    find_access(VolumeRef("s3://b/v", environment={"LD_PRELOAD": "/evil.so"}))
    assert "LD_PRELOAD" not in os.environ


@pytest.mark.parametrize(
    ("ref", "access"),
    [
        (
            VolumeRef("s3://b/a v", "Region=eu-west-1;Anonymous=true"),
            Access("https://b.s3.eu-west-1.amazonaws.com/a%20v", ""),
        ),
        (
            VolumeRef("gs://b/v"),
            Access("gs://b/v", "", "https://storage.googleapis.com/b/v"),
        ),
        (VolumeRef("gs://b/v", "Token=t"), Access("gs://b/v", "Token=t")),
        (
            VolumeRef("azure://c/v", "BlobEndpoint=https://a.blob.core.windows.net"),
            Access("https://a.blob.core.windows.net/c/v", ""),
        ),
        (VolumeRef("https://h/v?sig=x"), Access("https://h/v?sig=x", "")),
    ],
)
def test_public_volumes_have_an_address_without_credentials(ref, access):
    assert tuple(find_access(ref)) == tuple(access)


def test_a_profile_that_signs_on_asks_for_the_extra_it_needs(home, monkeypatch):
    (home / ".aws" / "config").write_text("[profile sso]\nsso_session = company\n")
    monkeypatch.setitem(sys.modules, "botocore.exceptions", None)
    with pytest.raises(MissingDependencyError, match=r"blustream-widget\[cloud\]"):
        find_access(VolumeRef("s3://b/v", "Profile=sso"))


def test_what_openvds_gets_is_not_shown():
    ref = VolumeRef("s3://b/v", "AccessKeyId=a;SecretKey=hidden")
    assert "hidden" not in repr(find_access(ref))
