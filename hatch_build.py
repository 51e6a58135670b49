"""Build hook: puts the front end's bundle and the demo's notebook into the packages."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUNDLE = Path("src", "blustream_widget", "static", "widget.js")
NOTEBOOK = "01-first-look.ipynb"


class FrontEndHook(BuildHookInterface[Any]):
    """Builds the bundle where Node is installed; refuses to build a package without one."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the bundle before the files are collected.

        Parameters
        ----------
        version : str
            "editable" for `pip install -e`, which may come before the bundle: `make` builds it.
        build_data : dict
            Hatch's own; a wheel gets the notebook that `blustream demo` opens.

        Raises
        ------
        RuntimeError
            If there is no bundle and none can be built.
        """
        if version == "editable":
            return
        root = Path(self.root)
        if self.target_name == "wheel":
            source = str(root / "notebooks" / NOTEBOOK)
            build_data["force_include"][source] = f"blustream_widget/notebooks/{NOTEBOOK}"
        npm = shutil.which("npm")
        sources = root / "js"
        if npm and (sources / "src").is_dir():
            if not (sources / "node_modules").is_dir():
                _run(npm, "ci", folder=sources)
            _run(npm, "run", "build", folder=sources)
        if not (root / BUNDLE).is_file():
            reason = "the folder js/src is missing" if npm else "Node.js is not installed"
            raise RuntimeError(
                f"The front end's bundle {BUNDLE} is missing and cannot be built: {reason}. "
                "Install Node.js 20 or newer and build again, or install a released wheel."
            )


def _run(npm: str, *arguments: str, folder: Path) -> None:
    """Run npm in `folder`; its own output says what went wrong."""
    result = subprocess.run([npm, "--silent", *arguments], cwd=folder, check=False)
    if result.returncode:
        raise RuntimeError(f"`npm {' '.join(arguments)}` failed in {folder}; see its output above.")
