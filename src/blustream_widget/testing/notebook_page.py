"""A notebook open in headless Chromium: run its cells, its kernel's code, and read its pixels."""

from __future__ import annotations

import base64
import contextlib
import importlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from blustream_widget.errors import MissingDependencyError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright

    from blustream_widget.testing.lab import JupyterLab

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# No network of its own, no first-run pages, and no GPU, which a server does not have.
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
VIEWER = "[data-phase]"

_ANSWER_DIALOG = "document.querySelector('.jp-Dialog button.jp-mod-accept')?.click();"
_IDLE = "jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
_RUN_ALL = """() => {
  globalThis.allCellsRan = false;
  const done = () => { globalThis.allCellsRan = true; };
  jupyterapp.commands.execute('notebook:run-all-cells').then(done, done);
}"""
_THEME = """async (name) => {
  await jupyterapp.commands.execute('apputils:change-theme', { theme: name });
}"""
_THEME_IS = "(name) => document.body.dataset.jpThemeName === name"
# A tab that is closed by its cross asks whether to save.
_LEAVE = "() => { for (const tab of [...jupyterapp.shell.widgets('main')]) tab.dispose(); }"
_HAS_TABS = "() => [...jupyterapp.shell.widgets('main')].length > 0"
_OPEN = """async (path) => {
  const { commands, shell } = jupyterapp;
  const others = [...shell.widgets('main')];
  const opened = await commands.execute('docmanager:open', { path, factory: 'Notebook' });
  for (const tab of others) tab.dispose();
  shell.activateById(opened.id);
}"""
_OUTPUTS = """() => jupyterapp.shell.currentWidget.content.model.toJSON().cells
  .flatMap((cell) => cell.outputs ?? [])"""
_EXECUTE = """async ([code, timeoutMs]) => {
  const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const future = kernel.requestExecute({ code, store_history: false, stop_on_error: false });
  let text = '', error = '';
  future.onIOPub = (message) => {
    if (message.header.msg_type === 'stream') text += message.content.text;
    if (message.header.msg_type === 'error') error = message.content.traceback.join('\\n');
  };
  const late = new Promise((resolve) => setTimeout(resolve, timeoutMs, 'late'));
  if ((await Promise.race([future.done, late])) === 'late') {
    error = `The kernel did not answer within ${timeoutMs} ms.`;
  }
  return { text, error };
}"""
# The canvas or video that takes most of the page and is not hidden is the picture; an overlay is
# transparent or as large, and comes after it. A canvas that is as large as a video lies on it: that
# is a question of the page, for the video may hold an older picture of more pixels.
_PIXELS = """(host) => {
  const found = [];
  const collect = (root) => {
    found.push(...root.querySelectorAll('canvas'), ...root.querySelectorAll('video'));
    for (const { shadowRoot } of root.querySelectorAll('*')) if (shadowRoot) collect(shadowRoot);
  };
  if (host.matches('canvas, video')) found.push(host);
  if (host.shadowRoot) collect(host.shadowRoot);
  collect(host);
  const size = (e) => [e.videoWidth ?? e.width, e.videoHeight ?? e.height];
  const isSeen = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const area = (e) => {
    if (!isSeen(e) || !size(e)[0] || !size(e)[1]) return 0;
    const { width, height } = e.getBoundingClientRect();
    return Math.round(width) * Math.round(height);
  };
  const picture = found.reduce((best, e) => (best && area(best) >= area(e) ? best : e), null);
  if (!picture || !area(picture)) return null;
  const [width, height] = size(picture);
  const copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  copy.drawImage(picture, 0, 0);
  const bytes = copy.getImageData(0, 0, width, height).data;
  let text = '';
  for (let i = 0; i < bytes.length; i += 32768) {
    text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  }
  return { width, height, data: btoa(text) };
}"""


def find_chromium() -> str:
    """Path of the system's Chromium.

    Raises
    ------
    MissingDependencyError
        If there is no browser on the PATH, or no Playwright to drive it.
    """
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        raise MissingDependencyError(
            "There is no Chromium on the PATH.",
            hint="Install it, for example: apt install chromium.",
        )
    try:
        importlib.import_module("playwright.sync_api")
    except ImportError as exc:
        raise MissingDependencyError(
            "Playwright, which drives the browser, is not installed.",
            hint="Install it: pip install 'blustream-widget[headless]'. No browser comes with it.",
        ) from exc
    return executable


@contextlib.contextmanager
def chromium(*arguments: str, executable: str | None = None) -> Iterator[Browser]:
    """Start the system's Chromium, headless, with an empty profile.

    Parameters
    ----------
    *arguments : str
        More options of its command line.
    executable : str, optional
        What is started in its place, for example a script that starts it elsewhere.

    Raises
    ------
    MissingDependencyError
        If there is no browser on the PATH, or no Playwright to drive it, or if it does not start.
    """
    executable = executable or find_chromium()
    with _driver() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=[*CHROMIUM_ARGUMENTS, *arguments]
        )
        try:
            yield browser
        finally:
            browser.close()


_running: Playwright | None = None


@contextlib.contextmanager
def _driver() -> Iterator[Playwright]:
    """Start Playwright; within the block, others get the same: a thread can have only one."""
    global _running
    if _running is not None:
        yield _running
        return
    from playwright.sync_api import sync_playwright

    try:
        playwright = sync_playwright().start()
    except Exception as exc:  # Playwright raises no narrower one for its process
        raise MissingDependencyError(
            "Playwright's own Node.js does not start; what it wrote is above.",
            hint="On Debian it needs a library: apt install libatomic1.",
        ) from exc
    _running = playwright
    try:
        yield playwright
    finally:
        _running = None
        playwright.stop()


class NotebookPage:
    """One notebook of a `JupyterLab`, open in a browser page of its own.

    Parameters
    ----------
    browser : playwright Browser
    lab : JupyterLab
    name : str
        File in the folder of `lab`.
    width_px, height_px : int
        Of the browser's window.
    touch : bool
        The page has a touch screen.
    init_script : str
        JavaScript that runs before any of the page's own.
    context : playwright BrowserContext, optional
        One that is there already, as its windows are: size and touch are not changed.

    Attributes
    ----------
    page : playwright Page
        For everything that has no method here.

    Notes
    -----
    The thread that started the browser. No asyncio test may run in it while a browser is open.
    """

    def __init__(
        self,
        browser: Browser,
        lab: JupyterLab,
        name: str,
        *,
        width_px: int = 1280,
        height_px: int = 900,
        touch: bool = False,
        init_script: str = "",
        context: BrowserContext | None = None,
    ) -> None:
        self.lab = lab
        self._problems: list[str] = []
        self._context = context or browser.new_context(
            viewport={"width": width_px, "height": height_px}, has_touch=touch
        )
        if init_script:
            self._context.add_init_script(init_script)
        self.page: Page = self._context.new_page()
        self.page.on("pageerror", lambda error: self._problems.append(f"uncaught: {error}"))
        self.page.on("console", self._note)
        self.page.goto(lab.notebook_url(name))
        self.wait_idle()

    @property
    def problems(self) -> list[str]:
        """Uncaught errors of the page and what it wrote with console.error, in order."""
        # Playwright hands over what has happened only while it is asked for something.
        self.page.evaluate("0")
        return self._problems

    def wait_idle(self, timeout_s: float = 60.0) -> None:
        """Wait until a kernel is there and has nothing to do."""
        self.page.wait_for_function(
            f"() => globalThis.jupyterapp && {_IDLE}", timeout=timeout_s * 1000
        )

    def leave(self) -> None:
        """Close every tab without saving; kernels keep running."""
        self.page.evaluate(_LEAVE)
        # JupyterLab puts its launcher there, and in front, a moment later.
        self.page.wait_for_function(_HAS_TABS)

    def open(self, name: str, timeout_s: float = 60.0) -> None:
        """Go on with another notebook of the folder: a quarter of the time of a page of its own.

        What was open is closed, and `problems` begins anew. The page keeps its storage and what
        its scripts hold, as it does for a person who works all day.
        """
        self.page.evaluate(_OPEN, name)
        # A dialog may be left, or come late, of a notebook that was closed: its kernel has died.
        self.page.wait_for_function(
            f"() => {{ {_ANSWER_DIALOG} return {_IDLE}; }}", timeout=timeout_s * 1000
        )
        self._problems.clear()

    def reload(self) -> None:
        """Load the page anew; the kernel keeps running."""
        self.page.reload()
        self.wait_idle()

    def run_all(self, timeout_s: float = 120.0) -> None:
        """Run every cell and wait for the last.

        Raises
        ------
        RuntimeError
            If a cell failed; holds its traceback.
        """
        self.start_run_all()
        self.page.wait_for_function("() => globalThis.allCellsRan", timeout=timeout_s * 1000)
        for output in self.outputs():
            if output["output_type"] == "error":
                raise RuntimeError("\n".join(output["traceback"]))

    def start_run_all(self) -> None:
        """Run every cell without waiting: the page is free while the kernel computes."""
        self.page.evaluate(_RUN_ALL)

    def outputs(self) -> list[dict[str, Any]]:
        """List the outputs of all cells in the form of nbformat."""
        found: list[dict[str, Any]] = self.page.evaluate(_OUTPUTS)
        return found

    def run_python(self, code: str, *, timeout_s: float = 60.0) -> str:
        """Run code in the notebook's kernel, outside any cell, and give back what it printed.

        Raises
        ------
        RuntimeError
            If it raised, with the traceback, or if the kernel did not answer in time.
        """
        answer = self.page.evaluate(_EXECUTE, [code, timeout_s * 1000])
        if answer["error"]:
            raise RuntimeError(answer["error"])
        return str(answer["text"])

    def read_python(self, expression: str) -> Any:
        """Read the value of an expression in the kernel, through JSON."""
        return json.loads(self.run_python(f"import json; print(json.dumps({expression}))"))

    def viewer(self, index: int = 0) -> Locator:
        """Find the `index`-th viewer on the page."""
        return self.page.locator(VIEWER).nth(index)

    def pixels(self, where: Locator | str = VIEWER) -> npt.NDArray[np.uint8]:
        """Read the picture that an element shows.

        Parameters
        ----------
        where : Locator or str
            A canvas, a video, or an element around them, shadow roots included; a selector means
            its first match. The picture that is largest on the page is read.

        Returns
        -------
        ndarray, shape (height, width, 4), uint8
            RGBA. Shape (0, 0, 4) while nothing is there.
        """
        locator = self.page.locator(where).first if isinstance(where, str) else where
        answer = locator.evaluate(_PIXELS)
        if answer is None:
            return np.zeros((0, 0, 4), np.uint8)
        values = np.frombuffer(base64.b64decode(answer["data"]), np.uint8)
        return values.reshape(answer["height"], answer["width"], 4)

    def set_theme(self, theme: Literal["light", "dark"]) -> None:
        """Switch JupyterLab's theme."""
        name = f"JupyterLab {theme.capitalize()}"
        self.page.evaluate(_THEME, name)
        self.page.wait_for_function(_THEME_IS, arg=name)

    def screenshot(self, path: Path, where: Locator | None = None) -> None:
        """Save a PNG of the window, or of one element."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if where is None:
            self.page.screenshot(path=path)
        else:
            where.screenshot(path=path)

    def restart_kernel(self) -> None:
        """Restart the kernel without asking."""
        self.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
        self.wait_idle()

    def clear_outputs(self) -> None:
        """Delete the outputs of all cells; the widgets of the kernel live on."""
        self.page.evaluate("() => jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")

    def close(self) -> None:
        """Close the page and forget its cookies and storage; the kernel keeps running."""
        self._context.close()

    def _note(self, message: Any) -> None:
        if message.type == "error":
            self._problems.append(message.text)
