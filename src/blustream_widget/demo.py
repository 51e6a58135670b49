"""`blustream demo`: a volume made on the spot, and a notebook that shows it, in JupyterLab."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import sys
import tempfile
from importlib import resources
from pathlib import Path

from blustream_widget.errors import ConfigError
from blustream_widget.progress import ProgressBar

NOTEBOOK = "01-first-look.ipynb"
_SIZE = 512
_SIZE_MIN = 32
_VARIABLE = "BLUSTREAM_DEMO_VOLUME"
_PORT = 8888


def demo_volume(folder: str | Path = ".", *, size: int = _SIZE) -> Path:
    """Find the demo volume, or make it: seismic by formula, `size` voxels along each axis.

    Parameters
    ----------
    folder : str or path
        Where it is kept, as `demo-<size>.vds`. The notebooks of `blustream demo` are told of the
        one that was made for them by the variable BLUSTREAM_DEMO_VOLUME.
    size : int
        At least 32. 512 needs 0.8 GB of disk.

    Raises
    ------
    ConfigError
        If `size` is too small.

    Notes
    -----
    Prints its progress. Nothing is downloaded.
    """
    if told := os.environ.get(_VARIABLE):
        return Path(told)
    if size < _SIZE_MIN:
        raise ConfigError(
            f"A demo volume of {size} voxels per side is too small.",
            hint=f"Give --size {_SIZE_MIN} or more.",
        )
    path = Path(folder) / f"demo-{size}.vds"
    if not path.is_file():
        from blustream_widget.data.synthetic import write_demo_volume

        path.parent.mkdir(parents=True, exist_ok=True)
        with ProgressBar() as bar:
            write_demo_volume(path, shape=(size, size, size), progress=bar.show)
    return path.resolve()


def run_demo(
    folder: Path, *, size: int = _SIZE, headless: bool = False, screenshot: Path | None = None
) -> int:
    """Open the demo's notebook in JupyterLab until Ctrl-C, or run it in headless Chromium.

    Parameters
    ----------
    folder : Path
        Gets the volume and the notebook; what is there is used, an edited notebook too.
    size : int
        Voxels per side of the volume.
    headless : bool
        True: run a fresh copy of the notebook without a person, and check the picture.
    screenshot : Path, optional
        Where a headless run saves its picture; default `headless.png` in `folder`.

    Returns
    -------
    int
        Exit status: 0, or 1 if the picture does not do what it should.

    Raises
    ------
    MissingDependencyError
        If `headless` and there is no Chromium, or no Playwright to drive it.
    """
    if headless:
        from blustream_widget.testing.notebook_page import find_chromium

        find_chromium()  # not after half a minute of work
    # JupyterLab is in a session of its own, and would outlive this process.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    folder.mkdir(parents=True, exist_ok=True)
    volume = demo_volume(folder, size=size)
    print(f"Volume: {volume}")
    environment = {_VARIABLE: str(volume)}
    if not headless:
        return _serve(folder, environment)
    from blustream_widget.demo_check import check_demo

    with tempfile.TemporaryDirectory(prefix="blustream-demo-") as temporary:
        _place_notebook(Path(temporary))
        return check_demo(
            Path(temporary), NOTEBOOK, environment, screenshot or folder / "headless.png"
        )


def _serve(folder: Path, environment: dict[str, str]) -> int:
    from blustream_widget.testing.lab import JupyterLab

    _place_notebook(folder)
    print("Starting JupyterLab …", flush=True)
    with JupyterLab(
        folder.resolve(), environment=environment, port=_preferred_port(), isolated=False
    ) as lab:
        print(
            f"Open in a browser:\n\n    {lab.notebook_url(NOTEBOOK)}\n\nCtrl-C ends it.", flush=True
        )
        with contextlib.suppress(KeyboardInterrupt):
            status = lab.wait()
            print(f"JupyterLab ended by itself:\n{lab.log_tail()}")
            return status
    return 0


def _place_notebook(folder: Path) -> None:
    """Copy the notebook, unless the person's own is there."""
    target = folder / NOTEBOOK
    if not target.exists():
        with resources.as_file(_template()) as source:
            shutil.copyfile(source, target)


def _template() -> resources.abc.Traversable:
    packaged = resources.files("blustream_widget") / "notebooks" / NOTEBOOK
    if packaged.is_file():
        return packaged
    # An editable install runs from the repository, where the notebooks have a folder of their own.
    return Path(__file__).parents[2] / "notebooks" / NOTEBOOK


def _preferred_port() -> int:
    """Jupyter's usual port, so that an open tab finds the next demo; 0 (any) where it is taken."""
    with socket.socket() as probe:
        # As Jupyter's own listener does: a connection that has just ended does not hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", _PORT))
        except OSError:
            return 0
    return _PORT
