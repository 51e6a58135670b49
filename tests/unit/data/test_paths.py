import os

import pytest

from blustream_widget.data.paths import (
    local_path,
    readable_file,
    scheme_of,
    shown_name,
    suffix_of,
)
from blustream_widget.errors import VolumeAccessError, VolumeFormatError, VolumeNotFoundError


@pytest.fixture
def volume(tmp_path):
    path = tmp_path / "in" / "v.vds"
    path.parent.mkdir()
    path.write_bytes(b"x")
    return path


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(VolumeNotFoundError, match=r"no file .*gone\.vds"):
        readable_file(tmp_path / "gone.vds")


def test_a_folder_is_not_a_volume(tmp_path):
    with pytest.raises(VolumeFormatError, match="is a folder"):
        readable_file(tmp_path)


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "v.vds").touch()
    with pytest.raises(VolumeFormatError, match="is empty"):
        readable_file(tmp_path / "v.vds")


def test_an_unreadable_file_is_an_access_error(volume, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)  # root may read everything
    with pytest.raises(VolumeAccessError, match="chmod"):
        readable_file(volume)


def test_a_zero_byte_is_not_a_path(tmp_path):
    with pytest.raises(VolumeNotFoundError):
        readable_file(tmp_path / "a\0b.vds")


def test_only_allowed_folders_are_opened(volume, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    roots = os.pathsep.join([str(other), str(volume.parent)])
    assert readable_file(volume, roots) == volume
    with pytest.raises(VolumeAccessError, match="outside"):
        readable_file(volume, str(other))


def test_a_link_does_not_lead_out_of_the_allowed_folders(volume, tmp_path):
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    (allowed / "link.vds").symlink_to(volume)
    with pytest.raises(VolumeAccessError, match="outside"):
        readable_file(allowed / "link.vds", str(allowed))
    with pytest.raises(VolumeAccessError, match="outside"):
        readable_file(allowed / ".." / "in" / "v.vds", str(allowed))


def test_a_folder_whose_name_only_begins_alike_is_outside(volume, tmp_path):
    with pytest.raises(VolumeAccessError):
        readable_file(volume, str(tmp_path / "i"))


@pytest.mark.parametrize("url", ["foo://x/y.vds", "ftp://h/v.vds", "dms://x"])
def test_an_unknown_scheme_is_refused(url):
    with pytest.raises(VolumeFormatError, match="no reader"):
        scheme_of(url)


def test_schemes():
    assert scheme_of("S3://bucket/v.vds") == "s3"
    assert scheme_of("/a/b.vds") == scheme_of("file:///a/b.vds") == ""


def test_secrets_of_an_address_are_not_shown():
    assert shown_name("https://user:secret@host/a/v.vds?sig=secret") == "v.vds"


def test_file_addresses_are_paths():
    assert str(local_path("file:///a/b%20c.vds")) == "/a/b c.vds"


def test_a_wrong_suffix_names_the_known_ones(tmp_path):
    with pytest.raises(VolumeFormatError, match=r"\.vds, \.nii"):
        suffix_of(tmp_path / "v.txt")
    assert suffix_of(tmp_path / "V.NII.GZ") == ".nii.gz"
