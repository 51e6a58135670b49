"""Start the worker process."""

from __future__ import annotations

import os
import sys

# Before NumPy is loaded: matrices here are small, and BLAS threads that spin take the cores from
# the encoder and the browser (4.3 instead of 1.9 ms of CPU for a picture).
for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

from blustream_widget.runtime import use_one_heap  # noqa: E402  after the variables

use_one_heap()

from blustream_widget.worker.main import main  # noqa: E402  after the heap

sys.exit(main())
