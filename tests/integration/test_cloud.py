"""Volumes in S3 (moto) and Azure (azurite) on loopback, near, far and out of reach."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import threading

import numpy as np
import pytest

from blustream_widget.cli import main
from blustream_widget.cloud_env import with_environment
from blustream_widget.config import Config
from blustream_widget.core.types import VolumeRef
from blustream_widget.data import SliceReader, open_source
from blustream_widget.data.remote import RemoteSource
from blustream_widget.errors import (
    ConfigError,
    NoCredentialsError,
    StorageUnreachableError,
    VolumeAccessError,
    VolumeNotFoundError,
)
from blustream_widget.source_arg import volume_ref
from blustream_widget.testing.slow_network import Answer, SlowNetwork
from blustream_widget.testing.storage import account_sas, azure_storage, s3_storage
from blustream_widget.testing.volumes import ramp_volume, write_volume
from blustream_widget.testing.waiting import wait_until

SHAPE = (96, 90, 100)
BUDGET_BYTES = 64 << 20
RAMP = ramp_volume(SHAPE)


@pytest.fixture(scope="module", autouse=True)
def no_credentials_of_this_machine(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        patch.setenv("HOME", str(folder))
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield folder


@pytest.fixture(scope="module")
def volume(tmp_path_factory):
    path = tmp_path_factory.mktemp("v") / "ramp.vds"
    write_volume(path, RAMP, brick_size=32, codec="zip")
    return path


@pytest.fixture(scope="module", params=["s3", "azure"])
def storage(request, project_root, volume):
    modules = project_root / "tests" / "storage" / "node_modules"
    if request.param == "azure" and not modules.is_dir():
        pytest.fail("azurite is not installed: run make storage")
    servers = {"s3": s3_storage, "azure": lambda: azure_storage(modules)}
    with servers[request.param]() as running:
        running.upload(volume, "ramp")
        yield running


@pytest.fixture(scope="module")
def network_of_module(storage):
    with SlowNetwork(storage.target).running() as network:
        yield network


@pytest.fixture
def network(network_of_module):
    yield network_of_module
    network_of_module.heal()
    network_of_module.forget()


@pytest.fixture
def ref(storage, network):
    return VolumeRef(url=storage.url("ramp"), connection=storage.connection(network.port))


@contextlib.contextmanager
def opened(ref):
    """A source with its reader, and an event that is set with every news of either."""
    news = threading.Event()
    source = open_source(ref, Config())
    try:
        reader = SliceReader(source, budget_bytes=BUDGET_BYTES, on_data=news.set)
        source.on_trouble(news.set)
        try:
            yield source, reader, news
        finally:
            reader.close()
    finally:
        source.close()


def read_until(reader, news, is_enough, axis=0, idx=40, limit_s=20.0):
    while True:
        news.clear()
        data = reader.read(axis, idx, 0, 0)
        if is_enough(data):
            return data
        assert news.wait(limit_s), f"nothing new; {data.progress=}"


def exact(data):
    return data.progress >= 1 and data.coarsest_lod == 0


def test_a_slice_is_what_was_written(ref):
    with opened(ref) as (source, reader, news):
        assert isinstance(source, RemoteSource)
        for axis in range(3):
            data = read_until(reader, news, exact, axis=axis)
            np.testing.assert_array_equal(data.values, RAMP.take(40, axis))


def test_the_first_coarse_picture_takes_five_round_trips_at_most(ref, network):
    network.round_trip_s = 0.08
    source = open_source(ref, Config())
    try:
        network.forget()
        news = threading.Event()
        reader = SliceReader(source, budget_bytes=BUDGET_BYTES, on_data=news.set)
        read_until(reader, news, lambda data: data.coarsest_lod < source.info.n_lods)
        rounds = network.n_rounds()
        read_until(reader, news, exact)
        reader.close()
    finally:
        source.close()
    assert 1 <= rounds <= 5


def test_bricks_are_asked_for_side_by_side_from_far_away(ref, network):
    network.round_trip_s = 0.2
    with opened(ref) as (source, reader, news):
        near = 2 * 2 + 4
        assert source.max_in_flight > near
        network.forget()
        read_until(reader, news, exact)
        # 9 bricks of the slice, those of coarser levels, and the lists they are found by.
        assert len(network.exchanges) > 10
        assert network.n_rounds() < len(network.exchanges) / 2


def test_a_path_that_loses_connections_and_packets_gives_the_exact_slice(ref, network):
    network.round_trip_s, network.reset_every, network.lose_every = 0.02, 5, 7
    with opened(ref) as (_, reader, news):
        data = read_until(reader, news, exact)
    np.testing.assert_array_equal(data.values, RAMP[40])


def test_an_outage_keeps_the_picture_says_so_and_ends_by_itself(ref, network):
    with opened(ref) as (source, reader, news):
        read_until(reader, news, exact, idx=40)
        network.is_gone = True
        reader.read(0, 80, 0, 0)
        wait_until(lambda: source.trouble is not None, timeout_s=20.0, what="the outage noticed")
        data = reader.read(0, 80, 0, 0)
        assert data.coarsest_lod < source.info.n_lods, "the coarse picture stays"
        assert exact(reader.read(0, 40, 0, 0)), "what is cached stays exact"
        assert isinstance(source.trouble, StorageUnreachableError)
        assert reader.error is None, "it is not a broken volume"
        news.clear()
        reader.read(0, 80, 0, 0)
        network.is_gone = False
        data = read_until(reader, news, exact, idx=80)
        assert source.trouble is None
    np.testing.assert_array_equal(data.values, RAMP[80])


def test_what_is_not_wanted_any_more_does_not_wait_for_the_network(ref, network):
    with opened(ref) as (source, reader, news):
        read_until(reader, news, exact, idx=40)
        network.is_gone = True
        reader.read(0, 80, 0, 0)
        wait_until(lambda: source.trouble is not None, timeout_s=20.0, what="the outage noticed")
        assert exact(reader.read(0, 40, 0, 0))
        source.close()  # and nothing hangs


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [("nothing", VolumeNotFoundError, "There is no volume at nothing")],
)
def test_what_is_not_there_is_said(storage, network, name, kind, words):
    ref = VolumeRef(url=storage.url(name), connection=storage.connection(network.port))
    with pytest.raises(kind, match=words):
        open_source(ref, Config())


def test_a_bucket_that_is_not_there_is_said(storage, network):
    ref = VolumeRef(
        url=f"{storage.scheme}://no-such-bucket/v", connection=storage.connection(network.port)
    )
    with pytest.raises(VolumeNotFoundError, match="no bucket or container"):
        open_source(ref, Config())


def test_a_refusal_is_said_without_the_key_and_trying_again_works(ref, network):
    network.answer = Answer(403, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
    with pytest.raises(VolumeAccessError, match="the storage refuses") as caught:
        open_source(ref, Config())
    shown = f"{caught.value!s} {caught.value!r} {caught.value.__cause__}"
    for secret in ("secret/of", "AKIATEST", "Eby8vdM", "AccountKey"):
        assert secret not in shown
    network.answer = None
    open_source(ref, Config()).close()


def test_a_storage_that_takes_no_connections_is_said(storage):
    ref = VolumeRef(url=storage.url("ramp"), connection=storage.connection(1))
    with pytest.raises(StorageUnreachableError, match="takes no connections"):
        open_source(ref, Config())


def test_info_reads_the_environment(storage, network, monkeypatch, capsys):
    for name, value in storage.environment(network.port).items():
        monkeypatch.setenv(name, value)
    assert main(["info", storage.url("ramp")]) == 0
    assert "96 x 90 x 100 voxels" in capsys.readouterr().out


def test_the_lines_of_the_documentation_open(storage, network, monkeypatch, project_root):
    blocks = re.findall(
        r"^```python\n(.*?)^```", (project_root / "docs/cloud.md").read_text(), re.M | re.S
    )
    (line,) = [block for block in blocks if f"{storage.scheme}://" in block]
    for name, value in storage.environment(network.port).items():
        monkeypatch.setenv(name, value)
    shapes = []

    def viewer(address):
        source = open_source(volume_ref(address)[0], Config())
        shapes.append(source.info.shape)
        source.close()

    exec(line.replace("north-sea", "ramp"), {"Viewer": viewer})
    assert shapes == [SHAPE]


class TestS3:
    @pytest.fixture(autouse=True)
    def only_s3(self, storage):
        if storage.scheme != "s3":
            pytest.skip("about S3")

    @pytest.fixture
    def profiles(self, no_credentials_of_this_machine, network):
        folder = no_credentials_of_this_machine / ".aws"
        folder.mkdir(exist_ok=True)
        script = folder / "keys.py"
        script.write_text(
            'print(\'{"Version": 1, "AccessKeyId": "AKIAX", "SecretAccessKey": "s"}\')'
        )
        (folder / "config").write_text(
            f"[profile lab]\nregion = eu-west-1\nendpoint_url = {network.url}\n"
            f"[profile made]\nendpoint_url = {network.url}\n"
            f"credential_process = {sys.executable} {script}\n"
        )
        (folder / "credentials").write_text(
            "[lab]\naws_access_key_id = AKIAX\naws_secret_access_key = s\n"
        )
        yield
        (folder / "config").unlink()
        (folder / "credentials").unlink()

    @pytest.mark.parametrize("profile", ["lab", "made"])
    def test_a_profile_opens(self, profiles, profile, monkeypatch):
        monkeypatch.setenv("AWS_PROFILE", profile)
        connection, environment = with_environment("s3://volumes/ramp", "")
        ref = VolumeRef("s3://volumes/ramp", connection, environment=environment)
        open_source(ref, Config()).close()

    def test_a_profile_can_be_named_in_the_connection(self, profiles, monkeypatch):
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        open_source(VolumeRef("s3://volumes/ramp", "Profile=lab"), Config()).close()
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        with pytest.raises(VolumeAccessError, match="no AWS profile 'other'"):
            open_source(VolumeRef("s3://volumes/ramp", "Profile=other"), Config())

    def test_without_credentials_a_private_volume_says_what_is_missing(self, network, monkeypatch):
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        network.answer = Answer(403, b"<Error><Code>AccessDenied</Code></Error>")
        connection = f"Region=us-east-1;EndpointOverride={network.url}"
        with pytest.raises(NoCredentialsError, match="AWS_ACCESS_KEY_ID"):
            open_source(VolumeRef("s3://volumes/ramp", connection), Config())

    def test_without_credentials_a_public_volume_opens(self, network, monkeypatch):
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        connection = f"Region=us-east-1;EndpointOverride={network.url}"
        _make_public(network)
        open_source(VolumeRef("s3://volumes/ramp", connection), Config()).close()
        open_source(
            VolumeRef("s3://volumes/ramp", connection + ";Anonymous=true"), Config()
        ).close()
        open_source(VolumeRef(f"{network.url}/volumes/ramp"), Config()).close()

    @pytest.mark.parametrize(
        ("status", "body", "kind", "words"),
        [
            (400, "The provided token has expired.", VolumeAccessError, "have expired"),
            (
                400,
                "The authorization header is malformed; the region 'us-east-1' is wrong; "
                "expecting 'eu-west-1'",
                VolumeAccessError,
                "another region: eu-west-1",
            ),
            (301, "Use the specified endpoint", VolumeAccessError, "another region"),
            (503, "Please reduce your request rate.", StorageUnreachableError, "busy"),
        ],
    )
    def test_what_s3_says_is_told_in_our_words(self, ref, network, status, body, kind, words):
        network.answer = Answer(
            status, f"<Error><Code>C</Code><Message>{body}</Message></Error>".encode()
        )
        with pytest.raises(kind, match=words):
            open_source(ref, Config())

    def test_a_wrong_word_is_named_but_not_its_value(self, ref):
        wrong = VolumeRef(ref.url, ref.connection + ";Passwort=hidden")
        with pytest.raises(ConfigError, match="passwort") as caught:
            open_source(wrong, Config())
        assert "hidden" not in str(caught.value)

    def test_a_signed_address_is_not_in_an_error(self, network):
        url = f"{network.url}/volumes/nothing?X-Amz-Signature=hidden"
        with pytest.raises(VolumeNotFoundError) as caught:
            open_source(VolumeRef(url), Config())
        assert "hidden" not in f"{caught.value} {caught.value.__cause__}"

    def test_a_silent_storage_is_given_up(self, storage, network):
        from blustream_widget.data.openvds_open import open_vds

        network.round_trip_s = 60.0
        with pytest.raises(StorageUnreachableError, match="does not answer"):
            open_vds(storage.url("ramp"), storage.connection(network.port), "ramp", silent_s=0.5)


class TestAzure:
    @pytest.fixture(autouse=True)
    def only_azure(self, storage):
        if storage.scheme != "azure":
            pytest.skip("about Azure")

    def test_a_signature_opens(self, network):
        endpoint = f"BlobEndpoint={network.url}/devstoreaccount1"
        connection = f"{endpoint};SharedAccessSignature={account_sas()}"
        open_source(VolumeRef("azure://volumes/ramp", connection), Config()).close()
        url = f"{network.url}/devstoreaccount1/volumes/ramp?{account_sas()}"
        open_source(VolumeRef(url), Config()).close()

    def test_without_credentials_it_says_what_is_missing(self):
        with pytest.raises(NoCredentialsError, match="AZURE_STORAGE"):
            open_source(VolumeRef("azure://volumes/ramp"), Config())


def test_google_without_credentials_says_what_is_missing():
    with pytest.raises((NoCredentialsError, StorageUnreachableError), match=r"Google|resolution"):
        open_source(VolumeRef("gs://volumes/ramp", "CredentialsFile=/nowhere.json"), Config())


def _make_public(network: SlowNetwork) -> None:
    script = (
        "import boto3, sys; s3 = boto3.client('s3', endpoint_url=sys.argv[1], "
        "aws_access_key_id='k', aws_secret_access_key='s', region_name='us-east-1')\n"
        "for o in s3.list_objects_v2(Bucket='volumes')['Contents']:\n"
        "    s3.put_object_acl(Bucket='volumes', Key=o['Key'], ACL='public-read')"
    )
    subprocess.run([sys.executable, "-c", script, network.url], check=True, timeout=60)
