"""What a viewer sends to its page: a few lines where Jupyter has the front end, or all of it."""

import re

import pytest

from blustream_widget import front_end


@pytest.fixture(autouse=True)
def built(tmp_path, monkeypatch):
    """A front end of our own, so that none need be built; what is kept of the real one goes."""
    monkeypatch.setattr(front_end, "BUNDLE", tmp_path / "widget.js")
    monkeypatch.setattr(front_end, "LOADER", tmp_path / "loader.js")
    front_end.BUNDLE.write_bytes(b"export default 1")
    front_end.LOADER.write_text('const DIGEST = "@digest@";')
    monkeypatch.delenv("ANYWIDGET_HMR", raising=False)
    front_end.bundle.cache_clear()
    front_end.digest.cache_clear()
    yield
    front_end.bundle.cache_clear()
    front_end.digest.cache_clear()


def test_a_kernel_of_the_same_front_end_sends_the_loader(monkeypatch):
    monkeypatch.setenv(front_end.DIGEST_VARIABLE, front_end.digest())
    assert front_end.module_of_viewers() == f'const DIGEST = "{front_end.digest()}";'
    assert re.fullmatch("[0-9a-f]{32}", front_end.digest())


def test_a_kernel_that_nobody_promised_its_front_end_sends_all(monkeypatch):
    for promised in (None, "0" * 32):
        if promised is None:
            monkeypatch.delenv(front_end.DIGEST_VARIABLE, raising=False)
        else:
            monkeypatch.setenv(front_end.DIGEST_VARIABLE, promised)
        assert front_end.module_of_viewers() == front_end.BUNDLE


def test_hot_reloading_gets_the_file(monkeypatch):
    monkeypatch.setenv(front_end.DIGEST_VARIABLE, front_end.digest())
    monkeypatch.setenv("ANYWIDGET_HMR", "1")
    assert front_end.module_of_viewers() == front_end.BUNDLE


def test_a_front_end_that_was_not_built_is_none(monkeypatch):
    monkeypatch.setenv(front_end.DIGEST_VARIABLE, front_end.digest())
    front_end.BUNDLE.unlink()
    assert front_end.module_of_viewers() == "export default {}"
