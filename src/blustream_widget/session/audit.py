"""Who did what in a session: the newest records for the owner, all of them for a file.

The file is the server's to choose (`AUDIT_LOG`, JSON lines); its log has the same without names.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable

import msgspec

from blustream_widget.core.sharing import AuditRecord

logger = logging.getLogger(__name__)

AUDIT_LOG = logging.getLogger("blustream_widget.audit")
AUDIT_LOG.propagate = False  # names are in it, and belong in no other log
AUDIT_LOG.setLevel(logging.INFO)

MAX_RECORDS = 1000
JOIN_RECORDS_S = 30.0
"""What somebody goes on doing is one record in this time."""


class Audit:
    """Keeps records of one session. Loop thread only.

    Parameters
    ----------
    session_id : str
    on_record : callable
        Called after each record.
    clock : callable
        Seconds since 1970.
    """

    def __init__(
        self,
        session_id: str,
        on_record: Callable[[], None],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.records: deque[AuditRecord] = deque(maxlen=MAX_RECORDS)
        self.n_made = 0
        self._session_id = session_id
        self._on_record = on_record
        self._clock = clock
        self._joined_s: dict[tuple[str, str], float] = {}

    def note(
        self,
        what: str,
        who: str,
        name: str,
        role: str,
        detail: str = "",
        at_ms: float | None = None,
    ) -> None:
        """Keep a record, and log it without the person's name; `at_ms`: None is now."""
        now_ms = self._clock() * 1000
        record = AuditRecord(
            at_ms=now_ms if at_ms is None else min(at_ms, now_ms),
            what=what,
            who=who,
            name=name,
            role=role,
            detail=detail,
        )
        self.records.append(record)
        line = {"session": self._session_id, **msgspec.structs.asdict(record)}
        AUDIT_LOG.info("%s", msgspec.json.encode(line).decode())
        self.n_made += 1
        logger.info(
            "Session %.8s: %s as %s %s %s", self._session_id, who, role or "-", what, detail
        )
        self._on_record()

    def note_going_on(self, what: str, who: str, name: str, role: str) -> None:
        """Keep a record of something that comes often, at most one in half a minute."""
        now_s = self._clock()
        if now_s - self._joined_s.get((what, who), float("-inf")) < JOIN_RECORDS_S:
            return
        # As many as there are people, who are bounded; those of long ago go first.
        if len(self._joined_s) >= MAX_RECORDS:
            self._joined_s.pop(next(iter(self._joined_s)))
        self._joined_s[what, who] = now_s
        self.note(what, who, name, role)

    def newest(self, n_known: int) -> tuple[AuditRecord, ...]:
        """Return those after the first `n_known` that were ever made."""
        n_new = min(self.n_made - n_known, len(self.records))
        return tuple(self.records)[len(self.records) - n_new :]
