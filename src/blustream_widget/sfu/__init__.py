"""A session's encoded frames at an SFU that exists: Janus or LiveKit.

>>> from blustream_widget.sfu import Janus
>>> viewer.publish(Janus(url="http://127.0.0.1:8088/janus", pin="1234"))   # doctest: +SKIP
"""

from blustream_widget.core.publishing import Janus, LiveKit

__all__ = ["Janus", "LiveKit"]
