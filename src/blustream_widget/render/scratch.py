"""Working arrays that are kept from one picture to the next."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

T = TypeVar("T", bound=np.generic)


class Scratch:
    """Arrays by name, grown when needed and never shrunk. One thread; contents do not last."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, type], npt.NDArray[Any]] = {}  # of the type in the key

    def array(self, name: str, shape: tuple[int, ...], dtype: type[T]) -> npt.NDArray[T]:
        """Return an uninitialised C-ordered array; valid until `name` is asked for again."""
        n = math.prod(shape)
        kept = self._kept.get((name, dtype))
        if kept is None or kept.size < n:
            kept = self._kept[name, dtype] = np.empty(n, dtype)
        return kept[:n].reshape(shape)
