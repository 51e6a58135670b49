"""A viewer's link that leads nowhere, with a volume that is open at once."""

from __future__ import annotations

from typing import Any

from blustream_widget import errors
from blustream_widget.core import link_annotations as la
from blustream_widget.core import link_protocol as lp
from blustream_widget.core.state import first_state
from blustream_widget.core.types import (
    Axis,
    Capabilities,
    Channel,
    EncoderTrial,
    VolumeInfo,
    VolumeRef,
)

INFO = VolumeInfo(
    name="survey.vds",
    kind="seismic",
    axes=(
        Axis("inline", "", 100, 1000, 1, 25.0),
        Axis("crossline", "", 80, 2000, 2, 12.5),
        Axis("sample", "ms", 50, 0, 4, 10.0),
    ),
    channels=(
        Channel("Amplitude", "", "float32", -8.0, 8.0),
        Channel("Salt", "", "uint8", 0, 1, is_label=True),
    ),
)


class FakeLink:
    """Stands for the link: opens every volume at once as INFO, keeps what it was told."""

    def __init__(self, *, error: errors.BlustreamError | None = None) -> None:
        self.patches: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.relayed: list[tuple[int, str]] = []
        self.ref: VolumeRef | None = None
        self._error = error

    def open_session(
        self,
        session: str,
        ref: VolumeRef,
        patch: dict[str, Any],
        listener: Any,
        palettes: tuple[Any, ...] = (),
    ) -> None:
        self.palettes = list(palettes)
        self.ref, self.session, self.listener, self.first_patch = ref, session, listener, patch
        listener.on_message(lp.SessionOpened(session=session, token="secret-token"))
        if self._error is not None:
            e = self._error
            listener.on_message(
                lp.SessionError(
                    session=session, code=e.code, message=e.message, hint=e.hint, fatal=True
                )
            )
            return
        self.state = first_state(INFO).with_patch(patch, INFO)
        tried = (EncoderTrial("h264_nvenc", "no device"), EncoderTrial("libx264", ""))
        capabilities = Capabilities(encoder="libx264", codec="avc1.42c01f", encoders=tried)
        listener.on_message(lp.VolumeOpened(session, INFO, self.state, capabilities))

    def patch(self, session: str, patch: dict[str, Any], seq: int) -> None:
        self.patches.append(patch)
        self.seq = seq

    def put_palette(self, session: str, palette: Any) -> None:
        self.palettes.append(palette)

    def mirror(self, *, seq: int = 0, **patch: Any) -> None:
        self.state = self.state.with_patch(patch, INFO)
        self.listener.on_message(
            lp.Mirror(
                session=self.session, state=self.state, seq=seq, transport="webrtc", latency_ms=21.0
            )
        )

    def refresh(self, session: str) -> None:
        self.calls.append("refresh")

    def close_session(self, session: str) -> None:
        self.calls.append("close")

    def reopen_session(self, session: str) -> None:
        self.calls.append("reopen")

    def tell(self, message: lp.ToServer) -> None:
        is_nothing = isinstance(message, la.EditItems) and not message.edits and not message.history
        if not is_nothing:  # every session is told that there were no annotations before it
            self.calls.append(type(message).__name__)

    def order(self, message: lp.ToServer) -> None:
        self.calls.append(type(message).__name__)

    def renew_token(self, session: str) -> None:
        self.calls.append("renew")

    def new_channel(self, session: str) -> int:
        return 7

    def open_relay(self, channel: int) -> None:
        pass

    def relay(self, channel: int, text: str) -> None:
        self.relayed.append((channel, text))

    def close_relay(self, channel: int) -> None:
        self.calls.append(f"close-relay {channel}")
