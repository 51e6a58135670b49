"""Whatever ends, nothing of it stays: processes, sockets, threads, shared memory."""

from __future__ import annotations

import signal
from pathlib import Path

import psutil
import pytest

from blustream_widget.testing.lab import leftover_sockets
from blustream_widget.testing.waiting import wait_until


def workers(lab) -> list[psutil.Process]:
    """Worker processes of this JupyterLab's server, the spare included."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        try:
            mine = (
                process.environ().get("JUPYTER_RUNTIME_DIR")
                == lab.environment["JUPYTER_RUNTIME_DIR"]
            )
        except psutil.Error:
            continue
        if mine and "blustream_widget.worker" in command:
            found.append(process)
    return found


def sockets(server: psutil.Process) -> dict[str, int]:
    """Connections on its UNIX sockets (listeners count too), with browsers, and UDP sockets."""
    own = (".sock", ".hand")
    return {
        "unix": sum(1 for c in server.net_connections("unix") if str(c.laddr).endswith(own)),
        "tcp": len(server.net_connections("tcp")),
        "udp": len(server.net_connections("udp")),
    }


def test_a_killed_worker_is_replaced_with_the_same_state(open_viewer, lab) -> None:
    view = open_viewer()
    view.focus()
    view.wheel(5)
    view.wait_shown(25)
    session = view.page.read_python("viewer._session")
    for process in workers(lab):
        process.send_signal(signal.SIGKILL)
    view.wheel(5)
    view.wait_shown(30)
    assert view.page.read_python("viewer._session") == session
    assert view.page.read_python("1 + 1") == 2


def test_a_closed_widget_leaves_no_process_thread_or_socket(
    open_viewer, lab, leftovers_gone
) -> None:
    view = open_viewer()
    view.page.run_python("viewer.close()")
    leftovers_gone()
    threads = view.page.read_python("[t.name for t in __import__('threading').enumerate()]")
    assert not [name for name in threads if name.startswith("blustream")]
    runtime = Path(lab.environment["JUPYTER_RUNTIME_DIR"]) / "blustream"
    assert not list(runtime.glob("*.sock"))


def test_a_restarted_kernel_leaves_no_process_or_socket(open_viewer, lab, leftovers_gone) -> None:
    view = open_viewer()
    view.page.restart_kernel()
    leftovers_gone()
    assert leftover_sockets(lab) == []


def test_a_deleted_output_gives_the_worker_back_and_keeps_the_view(open_viewer, lab) -> None:
    view = open_viewer()
    view.focus()
    view.wheel(3)
    view.wait_shown(23)
    busy = {process.pid for process in workers(lab)}
    server = psutil.Process(workers(lab)[0].ppid())
    view.page.clear_outputs()
    wait_until(
        lambda: len({process.pid for process in workers(lab)} & busy) < len(busy),
        timeout_s=20,
        what="the worker is given back",
    )
    # What stays is the kernel's link, and the state in the server: the Viewer lives. The server
    # listens on two sockets, one for requests and one for the connections handed over by Jupyter.
    wait_until(
        lambda: sockets(server) == {"unix": 3, "tcp": 0, "udp": 0},
        timeout_s=20,
        what=lambda: f"only listeners and link: {sockets(server)}",
    )
    view.page.run_python("viewer.slice_idx = 40")
    assert view.page.read_python("viewer.slice_idx") == 40


def test_a_reloaded_page_shows_the_same_view_over_one_connection(open_viewer, lab) -> None:
    view = open_viewer()
    view.wait_attribute("data-transport", "webrtc")
    view.focus()
    view.wheel(7)
    view.wait_shown(27)
    view.page.page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    server = psutil.Process(workers(lab)[0].ppid())
    before = sockets(server)
    view.page.reload()
    wait_until(
        lambda: view.page.viewer().count() == 1 and view.shown() == 27,
        timeout_s=40,
        what="the view is back",
    )
    wait_until(
        lambda: view.page.read_python("viewer.viewers") == 1, timeout_s=20, what="one connection"
    )
    wait_until(
        lambda: sockets(server) == before,
        timeout_s=30,
        what=lambda: f"{before}, not {sockets(server)}",
    )


@pytest.mark.parametrize("transports", ["websocket", "websocket,webrtc"])
def test_a_closed_page_leaves_no_connection(open_viewer, lab, transports) -> None:
    view = open_viewer(f"transports={transports!r}")
    view.wait_attribute("data-transport", transports.split(",")[-1])
    server = psutil.Process(workers(lab)[0].ppid())
    before = sockets(server)
    assert before["tcp"] == 1, "Jupyter handed the browser's connection over"
    assert (before["udp"] > 0) == ("webrtc" in transports)
    view.page.page.goto("about:blank")
    left = {
        "unix": before["unix"] - 1,
        "tcp": 0,
        "udp": 0,
    }  # the lease of the connection is returned
    wait_until(
        lambda: sockets(server) == left, timeout_s=20, what=lambda: f"{left}, not {sockets(server)}"
    )


def test_shared_memory_of_a_killed_kernel_is_removed(open_notebook, lab, leftovers_gone) -> None:
    page = open_notebook(
        "import numpy as np, os\nfrom blustream_widget import Viewer\n"
        "viewer = Viewer(np.zeros((16, 16, 16), np.float32) + 1)\nviewer",
        fresh=True,  # JupyterLab says in a dialog, some time later, that the kernel has died
    )
    page.run_all()
    host = page.viewer()
    wait_until(lambda: host.get_attribute("data-phase") == "live", timeout_s=30, what="it is shown")
    path = page.read_python("viewer._segment.ref.path")
    assert Path(path).exists()
    page.page.evaluate(
        """() => { jupyterapp.shell.currentWidget.sessionContext.session.kernel
             .requestExecute({ code: 'os.kill(os.getpid(), 9)' }); }"""
    )
    wait_until(lambda: not Path(path).exists(), timeout_s=40, what="the segment is removed")


@pytest.fixture
def leftovers_gone(lab):
    """Wait until no process of blustream is left of this JupyterLab."""
    from blustream_widget.testing.lab import leftovers

    def wait() -> None:
        wait_until(
            lambda: not leftovers(lab), timeout_s=40, what=lambda: f"no process: {leftovers(lab)}"
        )

    return wait
