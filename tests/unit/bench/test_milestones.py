"""A server's log read for what came when."""

from __future__ import annotations

import time

from blustream_widget.bench.milestones import milestones

LOG = """\
2026-01-02 03:04:05,100 INFO blustream_widget.server.main Server 0.1.0 listens, process 1
Traceback (most recent call last):
2026-01-02 03:04:06,020 INFO blustream_widget.server.main Server 0.1.0 listens, process 2
2026-01-02 03:04:06,110 INFO blustream_widget.server.hub Session 0a1b2c3d opened
2026-01-02 03:04:06,500 INFO blustream_widget.session Viewer 1 joined as owner over websocket
2026-01-02 03:04:06,900 INFO blustream_widget.session Viewer 2 joined as owner over websocket
"""


def test_only_what_came_after_the_kill_counts_and_of_it_the_first(tmp_path) -> None:
    log = tmp_path / "log"
    log.write_text(LOG)
    killed_s = time.mktime(time.strptime("2026-01-02 03:04:06", "%Y-%m-%d %H:%M:%S"))
    assert milestones(log, killed_s) == {
        "listens_ms": 20,
        "session_opened_ms": 110,
        "page_joined_ms": 500,
        "encoder_ready_ms": None,
    }
