"""A shared array is a private file of ours, and nothing else is opened as one."""

from __future__ import annotations

import pytest

from blustream_widget.config import Config
from blustream_widget.core.types import SharedArray, VolumeRef
from blustream_widget.data.opening import open_source
from blustream_widget.errors import VolumeAccessError, VolumeNotFoundError


def opened(path):
    ref = VolumeRef(array=SharedArray(path=str(path), shape=(2, 2, 2), dtype="|u1"))
    return open_source(ref, Config())


@pytest.mark.parametrize("name", ["secret.npy", "sub/blustream-1", "link/blustream-1"])
def test_a_file_that_no_viewer_has_made_is_not_opened(tmp_path, monkeypatch, name) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "sub")
    (tmp_path / name).write_bytes(bytes(range(8)))
    with pytest.raises(VolumeAccessError):
        opened(tmp_path / name)


def test_a_link_in_place_of_a_shared_array_is_not_followed(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    (tmp_path / "secret").write_bytes(bytes(range(8)))
    (tmp_path / "blustream-1").symlink_to(tmp_path / "secret")
    with pytest.raises(VolumeAccessError):
        opened(tmp_path / "blustream-1")


def test_one_that_is_gone_says_so(tmp_path) -> None:
    with pytest.raises(VolumeNotFoundError, match="no longer"):
        opened(tmp_path / "blustream-1")
