"""When the next picture is due: newest state at once, data in steps, rest after a while."""

from __future__ import annotations

REST_S = 0.2
"""Time without a change after which the picture is made as sharp as can be."""

_DATA_STEP_S = 0.05
"""Bricks come in dozens; drawing each would take the cores from reading them."""

_KEYFRAME_STEP_S = 0.25
"""A viewer that cannot decode asks again with every frame; one keyframe answers all."""


class Schedule:
    """Times of what is to be done, in seconds of one monotonic clock. One thread."""

    def __init__(self) -> None:
        self._draw_at: float | None = None
        self._keyframe_at: float | None = None
        self._rest_at: float | None = None
        self._still_at: float | None = None
        self._next_frame_at = 0.0
        self._last_frame = float("-inf")
        self._last_keyframe = float("-inf")
        self._last_change = float("-inf")
        self._last_touch = float("-inf")
        self._interval_s = 1 / 60

    def limit(self, max_fps: int) -> None:
        """Set how many pictures a second are drawn at most."""
        self._interval_s = 1 / max(max_fps, 1)

    def change(self, now: float) -> None:
        """Take note of a new state: it is drawn as soon as the frame rate allows."""
        self._last_change = now
        self._rest_at = now + REST_S
        self._draw_at = max(now, self._next_frame_at)

    def touch(self, now: float) -> None:
        """Take note of a picture that changes in its place: it stays as sharp as it is.

        Drawn as soon as the frame rate allows; what is made of a picture at rest waits.
        """
        self._last_touch = now
        self._still_at = now + REST_S
        self._draw_at = max(now, self._next_frame_at)

    def go_on(self, now: float) -> None:
        """Take note that a part of the picture is still to be drawn: as soon as may be."""
        self._draw_at = max(now, self._next_frame_at + self._interval_s)

    def receive_data(self, now: float) -> None:
        """Take note of new data: drawn soon, but not with every brick."""
        at = max(now, self._last_frame + _DATA_STEP_S)
        self._draw_at = at if self._draw_at is None else min(self._draw_at, at)

    def want_keyframe(self, now: float) -> None:
        """Take note of a viewer who cannot decode."""
        if self._keyframe_at is None:
            self._keyframe_at = max(now, self._last_keyframe + _KEYFRAME_STEP_S)

    def drop_keyframe(self) -> None:
        """Forget that a keyframe was wanted: the first picture is one anyway."""
        self._keyframe_at = None

    def is_at_rest(self, now: float) -> bool:
        """Whether the last change is long enough ago."""
        return now >= self._last_change + REST_S

    def is_still(self, now: float) -> bool:
        """Whether nothing was touched since, either."""
        return self.is_at_rest(now) and now >= self._last_touch + REST_S

    def is_keyframe_due(self, now: float) -> bool:
        """Whether the next picture must be a keyframe."""
        return self._keyframe_at is not None and self._keyframe_at <= now

    def is_due(self, now: float) -> bool:
        """Whether something is to be done now."""
        due_in = self.due_in_s(now)
        return due_in is not None and due_in <= 0

    def due_in_s(self, now: float) -> float | None:
        """Time until something is to be done; None: only when something happens."""
        at = (self._draw_at, self._keyframe_at, self._rest_at, self._still_at)
        times = [t for t in at if t is not None]
        return max(min(times) - now, 0.0) if times else None

    def look(self, now: float) -> None:
        """Take note that the picture is looked at now: what was due is done."""
        if self._draw_at is not None and self._draw_at <= now:
            self._draw_at = None
        if self._rest_at is not None and self._rest_at <= now:
            self._rest_at = None
        if self._still_at is not None and self._still_at <= now:
            self._still_at = None

    def draw(self, now: float, *, is_keyframe: bool) -> None:
        """Take note of a drawn picture."""
        self._last_frame = now
        # A state that comes a little early is not held back, as long as the average is kept.
        self._next_frame_at = max(self._next_frame_at, now - self._interval_s) + self._interval_s
        if is_keyframe:
            self._last_keyframe = now
            self._keyframe_at = None
            # A viewer that joins wants the sharp picture too.
            self._rest_at = max(self._rest_at or 0.0, now + REST_S)

    def clear(self) -> None:
        """Forget everything that was due: nobody looks."""
        self._draw_at = self._keyframe_at = self._rest_at = self._still_at = None
