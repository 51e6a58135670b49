"""The command line: errors are one line, doctor tells what was tried."""

from __future__ import annotations

import pytest

from blustream_widget.cli import main
from blustream_widget.core.types import EncoderTrial


def test_info_of_a_missing_file_is_one_line_and_status_1(capsys, tmp_path) -> None:
    assert main(["info", str(tmp_path / "no.vds")]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "no.vds" in error


def test_info_prints_axes_and_channels(capsys, tmp_path) -> None:
    from blustream_widget.data.synthetic import write_demo_volume

    write_demo_volume(tmp_path / "a.vds", shape=(40, 40, 40))
    assert main(["info", str(tmp_path / "a.vds")]) == 0
    text = capsys.readouterr().out
    for word in ("inline", "crossline", "Amplitude", "Faults", "ms"):
        assert word in text


def test_import_of_something_else_says_what_can_be_imported(capsys, tmp_path) -> None:
    source = tmp_path / "notes.txt"
    source.write_text("not a volume")
    assert main(["import", str(source), str(tmp_path / "a.vds")]) == 1
    assert "notes.txt" in capsys.readouterr().err
    assert not (tmp_path / "a.vds").exists()


def test_doctor_names_every_encoder_with_its_reason(capsys) -> None:
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    for name in ("h264_nvenc", "h264_qsv", "h264_amf", "libx264", "jupyter-server-proxy"):
        assert name in text
    refused = next(line for line in text.splitlines() if "h264_amf" in line)
    assert len(refused.split()) > 3


@pytest.mark.parametrize("name", ["h264_nvenc", "h264_of_nobody"])
def test_doctor_says_no_to_an_encoder_that_is_asked_for_and_does_not_work(
    name, capsys, monkeypatch
) -> None:
    monkeypatch.setattr(
        "blustream_widget.encode.probe.try_one",
        lambda profile: EncoderTrial(profile.name, "It is taken." * (profile.name == name)),
    )
    monkeypatch.setenv("BLUSTREAM_ENCODER", name)
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert any(name in line and "It is taken." in line for line in lines)
    (verdict,) = (line for line in lines if "H.264 encoder" in line)
    assert verdict.split()[0] == "NO"
    assert f"{name}, which BLUSTREAM_ENCODER asks for" in verdict
    assert not any("in use" in line for line in lines)


def test_bench_says_what_it_needs(capsys, monkeypatch) -> None:
    monkeypatch.setattr("blustream_widget.bench.main.find_spec", lambda name: None)
    assert main(["bench", "startup"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "blustream-widget[bench]" in error


def test_serve_reads_the_ice_servers(monkeypatch) -> None:
    seen: list[object] = []
    monkeypatch.setenv("BLUSTREAM_ICE_SERVERS", '[{"urls": "stun:stun.example.org"}]')
    monkeypatch.setattr(
        "blustream_widget.server.main.run", lambda config, **options: seen.append(options)
    )
    assert main(["serve"]) == 0
    assert seen == [{"ice_servers": ({"urls": "stun:stun.example.org"},)}]


def test_serve_with_wrong_ice_servers_is_one_line(capsys, monkeypatch) -> None:
    monkeypatch.setenv("BLUSTREAM_ICE_SERVERS", "nonsense")
    assert main(["serve"]) == 1
    assert "BLUSTREAM_ICE_SERVERS" in capsys.readouterr().err


def test_an_unknown_command_is_a_usage_error() -> None:
    with pytest.raises(SystemExit) as caught:
        main(["nonsense"])
    assert caught.value.code == 2
