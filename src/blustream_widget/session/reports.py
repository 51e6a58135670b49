"""How a session is, told to its viewers and its kernel as it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blustream_widget.transport.throttle import Throttle

if TYPE_CHECKING:
    from blustream_widget.session.announcer import Announcer
    from blustream_widget.session.audience import Audience
    from blustream_widget.session.drawing import Drawing
    from blustream_widget.session.kernel_port import KernelPort
    from blustream_widget.session.shown_view import ShownView

STATUS_INTERVAL_S = 0.1
MIRROR_INTERVAL_S = 0.2


class Reports:
    """Status to viewers and mirror to the kernel, each at most so often. Loop thread only.

    Parameters
    ----------
    audience : Audience
    announcer : Announcer
    kernel : KernelPort
    view : ShownView
    drawing : Drawing
    """

    def __init__(
        self,
        audience: Audience,
        announcer: Announcer,
        kernel: KernelPort,
        view: ShownView,
        drawing: Drawing,
    ) -> None:
        self._audience, self._announcer, self._kernel = audience, announcer, kernel
        self._view, self._drawing = view, drawing
        self._status = Throttle(STATUS_INTERVAL_S, self._send_status)
        self._mirror = Throttle(MIRROR_INTERVAL_S, self._send_mirror)

    def tell(self) -> None:
        """Tell everybody in a moment."""
        self._status.call()
        self._mirror.call()

    def tell_viewers(self) -> None:
        """Tell viewers in a moment."""
        self._status.call()

    def tell_kernel(self) -> None:
        """Tell the kernel in a moment."""
        self._mirror.call()

    def close(self) -> None:
        """Tell nothing more."""
        self._status.close()
        self._mirror.close()

    def _send_status(self) -> None:
        message = self._drawing.status(n_viewers=len(self._audience))
        self._announcer.status(message, self._drawing.quality.held_back)

    def _send_mirror(self) -> None:
        reporter = self._audience.reporter
        self._kernel.tell_mirror(
            self._view.state,
            self._drawing.progress,
            self._drawing.supervisor,
            n_viewers=len(self._audience),
            held_back=self._drawing.quality.held_back(reporter),
            reporter=reporter,
        )
