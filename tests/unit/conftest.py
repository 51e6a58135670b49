"""A viewer whose link leads nowhere."""

from __future__ import annotations

import pytest
from tests.unit.viewer_kit import FakeLink

from blustream_widget.viewer import Viewer


@pytest.fixture
def volume(tmp_path):
    path = tmp_path / "survey.vds"
    path.write_bytes(b"VDS")
    return path


@pytest.fixture
def link() -> FakeLink:
    return FakeLink()


@pytest.fixture
def viewer(volume, link):
    viewer = Viewer(volume, _link=link)
    yield viewer
    viewer.close()
