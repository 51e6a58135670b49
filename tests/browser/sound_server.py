"""Something to play sound by that nobody hears: without any, Firefox never begins with it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from blustream_widget.testing.waiting import wait_until


def find_sound_server() -> str | None:
    """Path of PulseAudio."""
    return shutil.which("pulseaudio")


@contextlib.contextmanager
def sound_server(executable: str, home: Path) -> Iterator[dict[str, str]]:
    """Run PulseAudio with an empty configuration in `home`; gives the environment of what plays."""
    socket = home / "socket"
    process = subprocess.Popen(
        [
            *(executable, "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"),
            *("-L", "module-null-sink"),
            *("-L", f"module-native-protocol-unix auth-anonymous=1 socket={socket}"),
        ],
        env={**os.environ, "HOME": str(home), "XDG_RUNTIME_DIR": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(socket.exists, timeout_s=30, what="PulseAudio listens")
        yield {"PULSE_SERVER": f"unix:{socket}"}
    finally:
        process.terminate()
        process.wait(timeout=10)
