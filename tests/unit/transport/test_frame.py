"""EncodedFrame: numbers of a session, header for WebRTC."""

import pytest

from blustream_widget.core.protocol import HEADER_BYTES, FrameFlags, FrameHeader
from blustream_widget.errors import ProtocolError
from blustream_widget.testing.contracts.transport import make_frame
from blustream_widget.transport.frame import EncodedFrame


def test_frames_of_a_new_worker_go_on_where_the_old_one_stopped():
    sent = make_frame(3, is_key=True)
    frame = EncodedFrame.from_worker(sent.data, first_frame_no=40)
    assert frame.frame_no == 43
    assert FrameHeader.unpack(frame.data).frame_no == 43
    assert frame.data[HEADER_BYTES:] == sent.data[HEADER_BYTES:]


def test_the_first_workers_frames_are_passed_on_without_a_copy():
    data = make_frame(3).data
    assert EncodedFrame.from_worker(data, first_frame_no=0).data is data


def test_a_frame_without_a_header_is_an_error():
    with pytest.raises(ProtocolError):
        EncodedFrame.from_worker(b"short", first_frame_no=0)


def test_the_header_for_rtp_says_that_it_is_alone_and_nothing_else_changes():
    frame = make_frame(3, is_key=True)
    header = FrameHeader.unpack(frame.header_only())
    assert len(frame.header_only()) == HEADER_BYTES
    assert header.flags == FrameFlags.KEY | FrameFlags.HEADER_ONLY
    assert header.timestamp_90k == frame.header.timestamp_90k
