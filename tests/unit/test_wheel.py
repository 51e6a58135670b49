"""What a user installs: the wheel and the source distribution carry the front end."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

WHEEL_FILES = [
    "blustream_widget/__init__.py",
    "blustream_widget/py.typed",
    "blustream_widget/static/widget.js",
    "blustream_widget/notebooks/01-first-look.ipynb",
]


@pytest.fixture
def source(project_root: Path, tmp_path: Path) -> Path:
    """A copy of what a build reads, without Node's packages and without sources to bundle."""
    copy = tmp_path / "source"
    copy.mkdir()
    for name in ["pyproject.toml", "hatch_build.py", "LICENSE", "README.md", "constraints.txt"]:
        shutil.copy(project_root / name, copy)
    shutil.copytree(project_root / "notebooks", copy / "notebooks")
    shutil.copytree(project_root / "etc", copy / "etc")
    shutil.copytree(
        project_root / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__", "static")
    )
    bundle = copy / "src" / "blustream_widget" / "static" / "widget.js"
    bundle.parent.mkdir()
    bundle.write_text("export default {};")
    return copy


def _build(source: Path, target: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(source / "dist")],
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_wheel_carries_the_bundle_the_types_and_the_demo_notebook(source):
    result = _build(source, "wheel")
    assert result.returncode == 0, result.stderr
    (wheel,) = (source / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert [name for name in WHEEL_FILES if name not in names] == []


def test_the_wheel_declares_the_command_and_the_proxied_server(source):
    assert _build(source, "wheel").returncode == 0
    (wheel,) = (source / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
        text = archive.read(name).decode()
    assert "blustream = blustream_widget.cli:main" in text
    assert "blustream = blustream_widget.server.proxy:setup" in text


def test_the_wheel_enables_the_jupyter_server_extension(source):
    assert _build(source, "wheel").returncode == 0
    (wheel,) = (source / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [n for n in archive.namelist() if "jupyter_server_config.d" in n]
        config = json.loads(archive.read(name))
    assert name.endswith(".data/data/etc/jupyter/jupyter_server_config.d/blustream-widget.json")
    assert config["ServerApp"]["jpserver_extensions"] == {"blustream_widget.server.extension": True}


def test_the_source_distribution_carries_the_bundle(source):
    result = _build(source, "sdist")
    assert result.returncode == 0, result.stderr
    (path,) = (source / "dist").glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = archive.getnames()
    assert any(name.endswith("src/blustream_widget/static/widget.js") for name in names)


def test_a_build_without_the_bundle_fails_and_says_why(source):
    shutil.rmtree(source / "src" / "blustream_widget" / "static")
    result = _build(source, "wheel")
    assert result.returncode != 0
    assert "widget.js is missing and cannot be built" in result.stderr + result.stdout
    assert not list((source / "dist").glob("*.whl"))


@pytest.mark.skipif(shutil.which("npm") is None, reason="Node.js is not installed")
def test_a_build_with_node_bundles_the_front_end_anew(source, project_root):
    js = source / "js"
    shutil.copytree(project_root / "js", js, ignore=shutil.ignore_patterns("node_modules"))
    (js / "node_modules").symlink_to(project_root / "js" / "node_modules")
    result = _build(source, "wheel")
    assert result.returncode == 0, result.stderr
    (wheel,) = (source / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        bundle = archive.read("blustream_widget/static/widget.js").decode()
    assert bundle != "export default {};"
    assert "sourceMappingURL" not in bundle
