"""Messages about sharing: the decoder takes them, and refuses everything else."""

from hypothesis import given, settings
from hypothesis import strategies as st

from blustream_widget.core import protocol as p
from blustream_widget.core import share_messages as sm
from blustream_widget.core import view_messages as vm
from blustream_widget.errors import ProtocolError

KEY = "0" * 16
SHARING = (
    sm.OpenLink(id="1" * 16, code="x" * 32, role="editor", expires_s=60, max_viewers=1),
    sm.StopSharing(),
    sm.Manage(person="owner", action="remove"),
    sm.Manage(person=KEY, action="role", role="editor"),
    sm.Control(action="give-back"),
    sm.GuestPage(address="https://evil.example/"),
    sm.Point(voxel=(1, 2, 3)),
    vm.ViewSync(seq=1, window=1.0),
)
mutated = st.tuples(
    st.sampled_from([p.encode(message) for message in SHARING]),
    st.integers(0, 200),
    st.binary(max_size=4),
).map(lambda of: of[0][: of[1]] + of[2] + of[0][of[1] + len(of[2]) :])


@given(st.one_of(mutated, st.binary(max_size=200)))
@settings(max_examples=300, deadline=None)
def test_the_decoder_takes_messages_and_refuses_all_else(data):
    try:
        message = p.decode_viewer(data)
    except ProtocolError:
        return
    assert p.decode_viewer(p.encode(message)) == message
