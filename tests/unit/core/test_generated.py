"""Files that are generated from Python are fresh."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"


def load_script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["generate_protocol", "generate_js_fixtures"])
def test_generated_file_is_what_the_script_writes_now(name: str) -> None:
    script = load_script(name)
    assert script.TARGET.read_text(encoding="utf-8") == script.generate(), (
        f"{script.TARGET.name} is stale: run python scripts/{name}.py"
    )


def test_check_reports_a_stale_file(tmp_path, monkeypatch, capsys) -> None:
    script = load_script("generate_protocol")
    monkeypatch.setattr(script, "TARGET", tmp_path / "protocol.ts")
    assert script.main(["--check"]) == 1
    assert "stale" in capsys.readouterr().out
    assert script.main([]) == 0
    assert script.main(["--check"]) == 0
