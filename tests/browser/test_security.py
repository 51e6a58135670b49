"""What Jupyter's user knows stays with Jupyter: no worker, log or server holds a credential."""

from __future__ import annotations

import json
from pathlib import Path

import psutil

from blustream_widget.testing.lab import leftovers


def blustream_processes(lab) -> dict[str, str]:
    """Environment, as text, of each server and worker of this JupyterLab by command line."""
    found = {}
    for process in psutil.process_iter(["cmdline"]):
        # By module: the folder of the checkout may be called blustream_widget too.
        words = process.info["cmdline"] or []
        is_ours = any(word.startswith("blustream_widget.") for word in words)
        try:
            environment = process.environ()
        except psutil.Error:
            continue
        mine = environment.get("JUPYTER_RUNTIME_DIR")
        if is_ours and mine == lab.environment["JUPYTER_RUNTIME_DIR"]:
            found[" ".join(words)] = json.dumps(environment)
    return found


def test_no_credential_is_in_a_log_an_environment_or_a_command_line(open_viewer, lab) -> None:
    view = open_viewer("connection='AccountKey=key-of-the-tests'")
    view.focus()
    view.wheel(2)
    view.wait_shown(22)
    runtime = Path(lab.environment["JUPYTER_RUNTIME_DIR"])
    secrets = {
        "Jupyter's token": lab.token,
        "the Hub's token": lab.environment["JUPYTERHUB_API_TOKEN"],
        "the connection string": "key-of-the-tests",
    }
    for file in runtime.joinpath("blustream").glob("server*.json"):
        secrets["the server's secret"] = json.loads(file.read_text())["secret"]
    assert "the server's secret" in secrets
    logs = "".join(path.read_text() for path in runtime.joinpath("blustream").glob("*.log"))
    assert logs
    assert leftovers(lab)
    processes = blustream_processes(lab)
    assert processes
    for command, environment in processes.items():
        for what, secret in secrets.items():
            assert secret not in logs + command + environment, f"{what} is seen in {command}"


def test_a_stranger_without_a_token_gets_nothing_through_the_proxy(open_viewer, lab) -> None:
    view = open_viewer()
    answers = view.page.page.evaluate(
        """async (token) => {
          const ask = (first, path) => new Promise((resolve) => {
            const socket = new WebSocket(`ws://${location.host}/blustream/ws${path}`);
            const got = [];
            socket.onopen = () => first && socket.send(first);
            socket.onmessage = (event) => got.push(typeof event.data === "string"
              ? JSON.parse(event.data).type : "frame");
            socket.onclose = () => resolve(got);
          });
          const hello = (token) => JSON.stringify({ type: 1, token });
          return Promise.all([ask(hello("x.y.z"), ""), ask(hello(""), ""), ask('{"type":48}', ""),
            ask("nonsense", ""), ask(hello(token), "")]);
        }""",
        lab.token,
    )
    for messages in answers:
        assert set(messages) <= {3}, "nothing but errors"


def test_without_jupyter_s_own_authentication_the_proxy_refuses(open_viewer, lab, browser) -> None:
    open_viewer()
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{lab.url}/login")
    opened = page.evaluate(
        """() => new Promise((resolve) => {
          const socket = new WebSocket(`ws://${location.host}/blustream/ws`);
          socket.onopen = () => resolve(true);
          socket.onerror = () => resolve(false);
        })"""
    )
    context.close()
    assert opened is False
