"""EncodedFrame: numbers of a session, header for WebRTC."""

import msgspec
import pytest

from blustream_widget.core.frame_header import HEADER_BYTES, FrameFlags, FrameHeader, PaneHeader
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


def test_the_header_of_several_panes_goes_with_them_by_every_way():
    pane = PaneHeader(*range(11), *(0.5,) * 6, 1, 0, 1)
    header = msgspec.structs.replace(make_frame(3).header, n_panes=2, panes=(pane, pane))
    frame = EncodedFrame.from_worker(header.pack() + b"picture", first_frame_no=40)
    assert bytes(frame.picture) == b"picture"
    assert FrameHeader.unpack(frame.data).panes == (pane, pane)
    assert FrameHeader.unpack(frame.header_only()).panes == (pane, pane)
    # Behind a picture it is found from the end: the last byte of the header counts the panes.
    panes, own = 2 * len(pane.pack()), HEADER_BYTES
    assert frame.with_trailer[-1] == 2
    assert frame.with_trailer[: -panes - own] == b"picture"
    assert frame.with_trailer[-own:] + frame.with_trailer[-panes - own : -own] == frame.data[:-7]
