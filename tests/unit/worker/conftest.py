"""A volume whose values are the index on axis 0, and a pipeline on it."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.worker.pipeline_kit import Bench

from blustream_widget.data.memory import MemorySource
from blustream_widget.testing.fakes import volume_info


@pytest.fixture
def ramp():
    """Value = index on axis 0, 0 to 1 over 32 slices."""
    values = np.repeat(np.linspace(0, 1, 32, dtype=np.float32), 32 * 32).reshape(32, 32, 32)
    return MemorySource(volume_info((32, 32, 32), kind="seismic"), (values,))


@pytest.fixture
def bench(ramp):
    bench = Bench(ramp)
    yield bench
    bench.pipeline.close()
