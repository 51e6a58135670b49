"""Whether a WebRTC connection leaves this machine at all."""

from __future__ import annotations

from typing import Any

_NEAR_S = 0.002
"""Nearer than this is nobody whose packets a relay here passes on to another place."""


def is_same_machine(
    pair: Any,  # aioice's CandidatePair; tests have one of their own
    *,
    may_be_relay: bool,
    round_trip_s: float,
) -> bool:
    """Whether both ends of a pair of addresses are this machine, without a relay in between.

    Then there is no link that could be slow: what comes late waited for a processor.

    Parameters
    ----------
    pair : aioice.ice.CandidatePair or None
        The nominated one; None while there is none.
    may_be_relay : bool
        Whether viewers are told of a TURN server. If that runs here, its packets come from this
        machine's address; of an address that was learned from packets ICE does not know whose it
        is.
    round_trip_s : float
        The least one lately; 0 while unknown.
    """
    if pair is None or "relay" in (pair.local_candidate.type, pair.remote_candidate.type):
        return False
    local_host, _ = pair.local_addr
    remote_host, _ = pair.remote_addr
    if local_host != remote_host:
        return False
    is_learned = pair.remote_candidate.type == "prflx"
    return not (is_learned and may_be_relay) or 0 < round_trip_s < _NEAR_S
