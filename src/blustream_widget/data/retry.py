"""How long to wait before something that failed is tried again."""

from __future__ import annotations

_FIRST_S = 0.25
_LONGEST_S = 10.0


def backoff_s(n_failed: int, chance: float) -> float:
    """Seconds to wait after `n_failed` failures in a row: twice as long each time, up to 10 s.

    Parameters
    ----------
    n_failed : int
        1 or more.
    chance : float, 0 to 1
        Random: many readers that lost the same network do not come back at the same moment.
    """
    longest_s = min(_FIRST_S * 2.0 ** min(n_failed, 16), _LONGEST_S)
    return longest_s * (0.5 + 0.5 * chance)
