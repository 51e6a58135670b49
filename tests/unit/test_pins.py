"""The same install comes out tomorrow: whatever `make` installs has its version written down."""

from __future__ import annotations

import json
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


@pytest.fixture
def pins(project_root: Path) -> dict[str, str]:
    """Versions in constraints.txt that hold for this Python on this system."""
    lines = (project_root / "constraints.txt").read_text().splitlines()
    requirements = [Requirement(line) for line in lines if line]
    return {
        canonicalize_name(requirement.name): str(requirement.specifier).removeprefix("==")
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate()
    }


def _asked_for(pyproject: dict[str, Any]) -> list[Requirement]:
    """List what the project names itself: to run, to test, to build."""
    groups = [part for group in pyproject["dependency-groups"].values() for part in group]
    project = pyproject["project"]
    extras = [part for extra in project["optional-dependencies"].values() for part in extra]
    named = [part for part in groups if isinstance(part, str)]
    build = pyproject["build-system"]["requires"]
    return [Requirement(text) for text in [*project["dependencies"], *extras, *named, *build]]


def _with_dependencies(wanted: list[Requirement]) -> dict[str, str]:
    """Name everything that these bring along here, with the installed version."""
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    while wanted:
        requirement = wanted.pop()
        name = canonicalize_name(requirement.name)
        for extra in ["", *requirement.extras]:
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            package = metadata.distribution(name)
            found[name] = package.version
            wanted += [
                dependency
                for dependency in map(Requirement, package.requires or [])
                if dependency.marker is None or dependency.marker.evaluate({"extra": extra})
            ]
    return found


def test_every_python_package_that_make_installs_is_pinned(project_root, pins):
    pyproject = tomllib.loads((project_root / "pyproject.toml").read_text())
    installed = _with_dependencies(_asked_for(pyproject))
    assert len(installed) > 100
    unpinned = {
        name: f"installed {version}, constraints.txt: {pins.get(name)}"
        for name, version in installed.items()
        if pins.get(name) != version
    }
    assert unpinned == {}


def test_hatchling_asks_for_nothing_that_is_not_pinned(pins):
    """It names what an editable build needs only when it is asked."""
    from hatchling import build

    asked = map(Requirement, build.get_requires_for_build_editable({}))
    assert [str(part) for part in asked if canonicalize_name(part.name) not in pins] == []


@pytest.fixture
def lock(project_root: Path) -> dict[str, Any]:
    """Packages in package-lock.json by their place; "" is the project itself."""
    return json.loads((project_root / "js" / "package-lock.json").read_text())["packages"]


def test_every_javascript_package_is_locked_with_its_digest(project_root, lock):
    package = json.loads((project_root / "js" / "package.json").read_text())
    for kind in ["dependencies", "devDependencies"]:
        assert lock[""][kind] == package[kind]
        locked = {name: lock[f"node_modules/{name}"]["version"] for name in package[kind]}
        assert locked == package[kind], "package.json names exact versions"
    assert [place for place in lock if place and "integrity" not in lock[place]] == []


def test_what_npm_has_installed_is_what_is_locked(project_root, lock):
    record = project_root / "js" / "node_modules" / ".package-lock.json"
    installed = json.loads(record.read_text())["packages"]
    assert len(installed) > 10
    differing = {
        place: package["version"]
        for place, package in installed.items()
        if package["integrity"] != lock.get(place, {}).get("integrity")
    }
    assert differing == {}
