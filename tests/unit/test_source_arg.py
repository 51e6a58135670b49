"""What cannot be a volume is refused at once, by name, with what to do."""

from __future__ import annotations

import os

import pytest

from blustream_widget.errors import VolumeAccessError, VolumeFormatError, VolumeNotFoundError
from blustream_widget.source_arg import check_address


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(VolumeNotFoundError, match=r"no\.vds") as caught:
        check_address(str(tmp_path / "no.vds"))
    assert isinstance(caught.value, FileNotFoundError)


@pytest.mark.parametrize("text", ["", "  ", "a\0b.vds"])
def test_an_empty_or_broken_path_is_an_error(text: str) -> None:
    with pytest.raises(VolumeNotFoundError):
        check_address(text)


def test_a_folder_an_empty_file_and_a_wrong_suffix_are_errors(tmp_path) -> None:
    (tmp_path / "empty.vds").touch()
    (tmp_path / "notes.docx").write_text("x")
    for name, words in (("", "folder"), ("empty.vds", "empty"), ("notes.docx", "suffix")):
        with pytest.raises(VolumeFormatError, match=words):
            check_address(str(tmp_path / name))


def test_an_unreadable_file_is_an_access_error(tmp_path, monkeypatch) -> None:
    path = tmp_path / "secret.vds"
    path.write_bytes(b"x")
    path.chmod(0)
    if os.geteuid() == 0:  # root may read everything: say what others are told
        monkeypatch.setattr(os, "access", lambda *_args: False)
    with pytest.raises(VolumeAccessError, match=r"secret\.vds"):
        check_address(str(path))


def test_an_unknown_scheme_is_not_taken_for_a_file_and_its_password_is_not_shown() -> None:
    with pytest.raises(VolumeFormatError, match="ftp://") as caught:
        check_address("ftp://user:password@host/a.vds?sig=abc")
    assert "password" not in str(caught.value)
    assert "sig" not in str(caught.value)


def test_remote_addresses_pass_and_file_addresses_become_paths(tmp_path) -> None:
    path = tmp_path / "a.vds"
    path.write_bytes(b"x")
    assert check_address("s3://bucket/a") == "s3://bucket/a"
    assert check_address(f"file://{path}") == str(path)
