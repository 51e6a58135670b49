"""Every H.264 encoder that works on this machine passes the contract; the others say why not."""

from __future__ import annotations

import pytest

from blustream_widget.encode.h264 import H264Encoder
from blustream_widget.encode.probe import probe_all
from blustream_widget.encode.profiles import PROFILES
from blustream_widget.testing.contracts.encoder import EncoderContract

REASONS = {trial.name: trial.reason for trial in probe_all()}
WORKING = [profile for profile in PROFILES if not REASONS[profile.name]]


class TestH264Encoder(EncoderContract):
    @pytest.fixture(params=WORKING, ids=[p.name for p in WORKING])
    def open_encoder(self, request):
        return lambda settings: H264Encoder(request.param, settings)


def test_software_always_works() -> None:
    assert WORKING
    assert WORKING[-1].name == "libx264"


def test_each_refused_encoder_is_named_in_its_reason() -> None:
    assert list(REASONS) == [profile.name for profile in PROFILES]
    assert all(name in reason for name, reason in REASONS.items() if reason)
