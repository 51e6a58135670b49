"""What may be written down of a volume, and when it is enough to show that without the kernel."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import msgspec
import pytest

from blustream_widget.core.colormaps import COLOR_LEVELS
from blustream_widget.core.palettes import OwnMap
from blustream_widget.core.segmentation import SegmentationLook, SegmentationSource
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import SharedArray, VolumeRef
from blustream_widget.session.kept_volume import KeptVolume, kept_volume
from blustream_widget.session.kernel_process import KernelProcess, process_at, process_of
from blustream_widget.session.session_store import Left, SessionStore, what_is_left_in

US = process_of(os.getpid())
FILE = VolumeRef(url="/data/survey.vds")
SALT = SegmentationSource("salt", VolumeRef(url="/data/salt.nii.gz"))
GREY = OwnMap(name="user-00000001", title="grey", colors=bytes(3 * COLOR_LEVELS))


def array_at(path) -> VolumeRef:
    return VolumeRef(array=SharedArray(path=str(path), shape=(1, 1, 1), dtype="|u1"))


@pytest.mark.parametrize(
    "ref",
    [
        FILE,
        VolumeRef(url="/data/a?b.vds"),
        VolumeRef(url="https://host/survey.vds"),
        VolumeRef(url="s3://bucket/survey", environment={"AWS_PROFILE": "geo"}),
    ],
)
def test_what_holds_no_key_is_kept(ref) -> None:
    assert kept_volume(ref, [SALT], US) == KeptVolume(ref, (SALT,), US)


@pytest.mark.parametrize(
    "ref",
    [
        VolumeRef(url="s3://bucket/survey", connection="SecretKey=x"),
        VolumeRef(url="https://host/survey.vds?sig=x"),
        VolumeRef(url="https://me:x@host/survey.vds"),
        VolumeRef(url="https://[host/survey.vds"),
        VolumeRef(url="s3://b/s", environment={"AWS_CONTAINER_AUTHORIZATION_TOKEN": "x"}),
        VolumeRef(url="s3://b/s", environment={"AWS_ENDPOINT_URL": "http://me:key@minio:9000"}),
        VolumeRef(series=(FILE, VolumeRef(url="https://host/s.vds?sig=x"))),
    ],
)
def test_of_what_holds_a_key_nothing_is_written_down(ref) -> None:
    assert kept_volume(ref, (), US) == KeptVolume()
    assert kept_volume(FILE, [SALT, msgspec.structs.replace(SALT, ref=ref)], US) == KeptVolume()


def test_an_array_is_there_as_long_as_its_memory(tmp_path) -> None:
    path = tmp_path / "array"
    for ref in (array_at(path), VolumeRef(series=(FILE, array_at(path)))):
        path.touch()
        assert kept_volume(ref, (), US).is_there
        assert kept_volume(FILE, [msgspec.structs.replace(SALT, ref=ref)], US).is_there
        path.unlink()
        assert not kept_volume(ref, (), US).is_there
        assert not kept_volume(FILE, [msgspec.structs.replace(SALT, ref=ref)], US).is_there


def test_nothing_is_there_for_a_kernel_that_will_not_come() -> None:
    assert not KeptVolume().is_there
    assert not kept_volume(FILE, (), None).is_there
    assert not kept_volume(FILE, (), KernelProcess(US.pid, US.started + 1)).is_there


def test_a_process_that_waits_to_be_reaped_has_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        process = process_of(child.pid)
        assert process.is_alive
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not process.is_alive


def test_the_process_at_the_other_end_of_a_socket_is_known() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert process_at(ours) == US
    with socket.socket() as other:
        assert process_at(other) is None


async def left_by_a_server(folder, *, volume=None, shown=()) -> KeptVolume | None:
    store = SessionStore(folder, [].append)
    store.put_palette(GREY)
    store.describe(volume or kept_volume(FILE, [SALT], US))
    looks = tuple(SegmentationLook(name=name) for name in shown)
    store.show(ViewState(revision=2, segmentations=looks, colormap=GREY.name))
    await store.close(keeps=True)
    return what_is_left_in(folder).volume


async def test_what_a_server_wrote_down_is_found_and_goes_on_being_kept(tmp_path) -> None:
    volume = await left_by_a_server(tmp_path, shown=["salt"])
    assert volume == kept_volume(FILE, [SALT], US)
    store = SessionStore(tmp_path, [].append)  # writes its file anew
    assert store.palettes.all() == [(GREY, 128)]
    await store.close(keeps=True)
    assert what_is_left_in(tmp_path).volume == volume


async def test_a_view_with_labels_that_were_not_kept_is_left_to_the_kernel(tmp_path) -> None:
    assert await left_by_a_server(tmp_path, shown=["salt", "other"]) is None
    nothing = await left_by_a_server(tmp_path, volume=KeptVolume())
    assert not nothing.is_there


def test_a_damaged_file_is_left_to_the_kernel(tmp_path) -> None:
    assert what_is_left_in(tmp_path) == Left()
    (tmp_path / "session").write_bytes(b"damaged")
    assert what_is_left_in(tmp_path) == Left()
