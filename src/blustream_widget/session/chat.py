"""What people say to each other in a session: text, the newest lines of it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator

from blustream_widget.core.share_messages import CHAT_CHARS, MAX_CHAT_LINES, Chat, ChatLine
from blustream_widget.core.sharing import shown_text

_CHUNK_LINES = 40


class ChatLog:
    """Lines of one session's chat, numbered from 1."""

    def __init__(self) -> None:
        self._lines: deque[ChatLine] = deque(maxlen=MAX_CHAT_LINES)
        self._n = 0

    def say(self, who: str, name: str, text: str) -> Chat | None:
        """Keep a line and return it for everybody; None if nothing of it can be seen."""
        shown = shown_text(text, CHAT_CHARS)
        if not shown:
            return None
        self._n += 1
        line = ChatLine(n=self._n, who=who, name=name, text=shown, at_ms=time.time() * 1000)
        self._lines.append(line)
        return Chat(lines=(line,))

    def restore(self, line: ChatLine) -> None:
        """Take a line that a former server kept."""
        self._lines.append(line)
        self._n = line.n

    @property
    def lines(self) -> tuple[ChatLine, ...]:
        """Everything that is kept, oldest first."""
        return tuple(self._lines)

    @property
    def history(self) -> Iterator[Chat]:
        """The same in messages of some lines."""
        lines = self.lines
        for start in range(0, len(lines), _CHUNK_LINES):
            yield Chat(lines=lines[start : start + _CHUNK_LINES])
