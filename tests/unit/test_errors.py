"""Errors that cross from process to process as a code, a message and a hint."""

from __future__ import annotations

import pytest

from blustream_widget import errors
from blustream_widget.sfu import janus


@pytest.mark.parametrize("kind", [errors.SfuRefusedError, errors.SfuUnreachableError])
def test_a_code_is_that_of_the_kind_that_has_it_not_of_a_detail_of_one_place(kind) -> None:
    assert any(issubclass(detail, kind) for detail in (janus.JanusError, janus.SilentError))
    assert type(errors.from_code(kind.code, "No.", "Ask.")) is kind


def test_an_unknown_code_is_an_error_all_the_same() -> None:
    assert type(errors.from_code("of-a-later-version", "No.")) is errors.BlustreamError
