"""StillParts: a lossless picture over a slow link never holds up what is newer."""

from blustream_widget.core.frame_header import FrameFlags
from blustream_widget.testing.clients import StillAssembly
from blustream_widget.testing.contracts.transport import make_frame
from blustream_widget.transport.frame import EncodedFrame
from blustream_widget.transport.link_rate import LinkRate
from blustream_widget.transport.still_parts import QUEUE_S, StillParts


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


class Bench:
    def __init__(self, bps):
        self.clock = Clock()
        self.link = LinkRate(self.clock)
        self.link.seed(bps)
        self.sent = []
        self.parts = StillParts(self.sent.append, self.link, self.clock)


def still(n_bytes, frame_no=1):
    frame = make_frame(frame_no, is_still=True)
    return EncodedFrame(frame.header, frame.header.pack() + bytes(range(256)) * (n_bytes // 256))


def test_a_quick_link_gets_it_whole():
    bench = Bench(40e6)
    frame = still(200_000)
    bench.parts.offer(frame)
    assert bench.sent == [frame]
    assert not bench.parts.is_busy


def test_a_slow_link_gets_only_what_it_carries_in_a_moment():
    bench = Bench(2e6)
    bench.parts.offer(still(1_000_000))
    assert sum(len(frame.data) for frame in bench.sent) <= 2e6 / 8 * QUEUE_S
    assert all(frame.header.flags & FrameFlags.PART for frame in bench.sent)


def test_each_acknowledged_part_lets_the_next_one_go_until_the_picture_is_whole():
    bench = Bench(2e6)
    frame = still(300_000)
    bench.parts.offer(frame)
    assembly, whole, taken = StillAssembly(), None, 0
    while taken < len(bench.sent):
        part = bench.sent[taken]
        taken += 1
        whole = assembly.add(part.header, bytes(part.picture)) or whole
        bench.clock.now_s += 0.05
        bench.parts.acknowledged(1)
    assert whole == (frame.header, bytes(frame.picture))
    assert not bench.parts.is_busy


def test_nothing_more_is_sent_of_a_still_that_was_dropped():
    bench = Bench(2e6)
    bench.parts.offer(still(1_000_000))
    bench.parts.drop()
    n = len(bench.sent)
    bench.parts.acknowledged(1)
    assert len(bench.sent) == n


def test_late_answers_to_parts_of_a_still_that_begins_again_are_not_those_of_its_new_parts():
    bench = Bench(2e6)
    bench.link.answered(0.2)
    frame = still(1_000_000)
    bench.parts.offer(frame)
    n_first = len(bench.sent)
    bench.clock.now_s += 0.19
    bench.parts.drop(n_unsent=1)
    bench.parts.offer(frame)
    n = len(bench.sent)
    bench.clock.now_s += 0.01
    for _ in range(n_first - 1):  # one never left
        bench.parts.acknowledged(1)
    assert len(bench.sent) == n
    assert bench.link.base_s > 0.1
    bench.clock.now_s += 0.2
    bench.parts.acknowledged(1)
    assert len(bench.sent) > n


def test_a_newer_still_replaces_an_older_one():
    bench = Bench(2e6)
    bench.parts.offer(still(1_000_000))
    bench.parts.offer(still(1_000_000, frame_no=2))
    bench.parts.acknowledged(1)
    assert bench.sent[-1].frame_no == 2
    n = len(bench.sent)
    bench.parts.acknowledged(2)
    assert len(bench.sent) > n


def test_the_parts_teach_what_the_link_carries():
    bench = Bench(8e6)
    bench.link.answered(0.02)
    bench.parts.offer(still(2_000_000))
    free_s = 0.0
    taken = 0
    while taken < len(bench.sent):
        free_s = max(free_s, bench.clock.now_s) + 8 * len(bench.sent[taken].data) / 2e6
        taken += 1
        bench.clock.now_s = max(bench.clock.now_s, free_s + 0.02)
        bench.parts.acknowledged(1)
    assert bench.link.target_bps < 2.5e6


def test_a_still_leaves_room_for_the_video_that_goes_another_way_over_the_same_link():
    bench = Bench(8e6)
    slow = LinkRate(bench.clock)
    slow.seed(1e6)
    parts = StillParts(bench.sent.append, bench.link, bench.clock, shared=lambda: slow)
    parts.offer(still(1_000_000))
    assert sum(len(frame.data) for frame in bench.sent) <= max(1e6 / 8 * QUEUE_S, 2 * 4200)
