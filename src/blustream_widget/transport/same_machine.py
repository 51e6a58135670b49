"""Whether a WebRTC connection leaves this machine at all."""

from __future__ import annotations

from typing import Any


def is_same_machine(pair: Any) -> bool:  # aioice's CandidatePair; tests have one of their own
    """Whether both ends of a pair of addresses are this machine, without a relay in between.

    Then there is no link that could be slow: what comes late waited for a processor.

    Parameters
    ----------
    pair : aioice.ice.CandidatePair or None
        The nominated one; None while there is none.
    """
    if pair is None or "relay" in (pair.local_candidate.type, pair.remote_candidate.type):
        return False
    local_host, _ = pair.local_addr
    remote_host, _ = pair.remote_addr
    return bool(local_host == remote_host)
