"""What cannot be a volume is refused at once, by name, with what to do."""

from __future__ import annotations

import os

import msgspec
import numpy as np
import pytest

from blustream_widget.core.types import VolumeRef
from blustream_widget.errors import (
    ConfigError,
    VolumeAccessError,
    VolumeFormatError,
    VolumeNotFoundError,
)
from blustream_widget.source_arg import check_address, volume_ref


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


def test_a_file_address_may_be_percent_encoded(tmp_path) -> None:
    path = tmp_path / "my file.npy"
    path.write_bytes(b"x")
    assert check_address(f"file://{tmp_path}/my%20file.npy") == str(path)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("kind", "seismik"),
        ("kind", 3),
        ("spacing", (1.0, 2.0)),
        ("spacing", (1.0, 2.0, float("nan"))),
        ("spacing", (1.0, 2.0, float("inf"))),
        ("spacing", (1.0, 0.0, 1.0)),
        ("spacing", "abc"),
        ("spacing", 5),
        ("affine", ((1, 0), (0, 1))),
        ("axis_names", ("x", "y")),
        ("axis_names", ("x", "y", 3)),
        ("axis_names", ("x", "x", "y")),
        ("axis_names", "xyz"),
        ("name", "n" * 257),
        ("unit", "u" * 33),
        ("connection", "c" * 8193),
        ("name", 3),
    ],
)
def test_a_word_about_the_volume_that_cannot_be_is_refused_by_its_name(argument, value) -> None:
    with pytest.raises(ConfigError, match=argument):
        volume_ref("http://host/a.vds", **{argument: value})


def test_an_affine_and_a_spacing_are_one_too_many() -> None:
    with pytest.raises(ConfigError, match="spacing and affine"):
        volume_ref("http://host/a.vds", spacing=(1, 1, 1), affine=np.eye(4))


def test_what_passes_is_what_the_server_can_read() -> None:
    ref, _ = volume_ref(
        "http://host/a.vds",
        kind="medical",
        spacing=np.array([1, 2, 3], np.int16),
        axis_names=["x", "y", "z"],
        name="n" * 256,
        unit="u" * 32,
    )
    assert msgspec.json.decode(msgspec.json.encode(ref), type=VolumeRef) == ref
    assert ref.spacing == (1.0, 2.0, 3.0)
