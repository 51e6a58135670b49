"""Why an encoder is refused: what FFmpeg 8 logged on real machines, and what is made of it."""

from __future__ import annotations

import pytest

from blustream_widget.core.types import EncoderTrial
from blustream_widget.encode.known_refusals import nvidia_cards, remembering
from blustream_widget.encode.probe import PROBE_SETTINGS, candidates, no_encoder
from blustream_widget.encode.reasons import reason_of

# Of an H200 with driver 580.159, once as it is and once without the driver's encoder library, and
# of a machine without graphics cards. PyAV's levels: 8 fatal, 16 error, 40 verbose.
H200 = [
    (40, "h264_nvenc", "Loaded Nvenc version 13.0\n"),
    (40, "h264_nvenc", "Nvenc initialized successfully\n"),
    (40, "h264_nvenc", "1 CUDA capable devices found\n"),
    (40, "h264_nvenc", "[ GPU #0 - < NVIDIA H200 > has Compute SM 9.0 ]\n"),
    (16, "h264_nvenc", "OpenEncodeSessionEx failed: unsupported device (2): (no details)\n"),
    (8, "h264_nvenc", "No capable devices found\n"),
    (40, "h264_nvenc", "Nvenc unloaded\n"),
]
NO_LIBRARY = [
    (16, "h264_nvenc", "Cannot load libnvidia-encode.so.1\n"),
    (16, "h264_nvenc", "The minimum required Nvidia driver for nvenc is 570.0 or newer\n"),
]
NO_DRIVER = [(16, "h264_nvenc", "Cannot load libcuda.so.1\n")]
NO_AMF = [
    (16, "AMF", "DLL libamfrt64.so.1 failed to open\n"),
    (16, "h264_amf", "Failed to create  hardware device context (AMF) : Unknown error occurred\n"),
]
NVENC, X264 = candidates("h264_nvenc")[0], candidates("libx264")[0]
REFUSED = EncoderTrial("h264_nvenc", f"h264_nvenc cannot be opened: {reason_of(OSError(), H200)}.")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            H200,
            "this NVIDIA card has no video encoder "
            "(OpenEncodeSessionEx failed: unsupported device (2))",
        ),
        (
            NO_LIBRARY,
            "the NVIDIA driver is here without its encoder; a container needs its capability "
            '"video" (NVIDIA_DRIVER_CAPABILITIES=all) (Cannot load libnvidia-encode.so.1)',
        ),
        (NO_DRIVER, "there is no NVIDIA driver (Cannot load libcuda.so.1)"),
        (NO_AMF, "there is no AMD encoder runtime (AMF) (DLL libamfrt64.so.1 failed to open)"),
        ([(16, "libx264", "Error setting option crf.\n")], "Error setting option crf"),
        ([], "of its own"),
    ],
)
def test_the_cause_is_told_in_plain_words_with_those_of_ffmpeg(lines, said) -> None:
    assert reason_of(OSError("of its own"), lines) == said


def test_an_encoder_that_is_taken_counts_more_than_a_card_without_one() -> None:
    taken = (16, "h264_nvenc", "OpenEncodeSessionEx failed: out of memory (10): (no details)\n")
    said = reason_of(OSError(), [*H200[:5], taken, *H200[5:]])
    assert said == "OpenEncodeSessionEx failed: out of memory (10)"


def test_an_encoder_asked_for_by_name_says_how_to_do_without() -> None:
    error = no_encoder((REFUSED,))
    assert "BLUSTREAM_ENCODER" in error.message
    assert "h264_nvenc cannot be opened: this NVIDIA card has no video encoder" in error.message
    assert error.hint.startswith("Unset BLUSTREAM_ENCODER")


class Machine:
    """A file system with NVIDIA cards, and how often their encoder was tried."""

    def __init__(self, folder):
        self.root, self.notes = folder / "root", folder / "notes"
        self.notes.mkdir(parents=True)
        self.answer = REFUSED
        self.tried = []
        self.write("proc/sys/kernel/random/boot_id", "b-1\n")
        self.write("sys/module/nvidia/version", "580.159.04\n")
        for name in ("nvidia0", "nvidiactl", "nvidia-uvm"):
            self.write(f"dev/{name}", "")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def worker(self, profile=NVENC):
        """What a new worker finds."""
        attempt = remembering(self.try_encoder, lambda: self.notes, root=self.root)
        return attempt(profile, PROBE_SETTINGS)

    def try_encoder(self, profile, settings):
        self.tried.append(profile.name)
        return self.answer


@pytest.fixture
def machine(tmp_path, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return Machine(tmp_path)


def test_cards_without_an_encoder_are_asked_once(machine) -> None:
    assert machine.worker() == REFUSED
    assert machine.worker() == REFUSED
    assert machine.tried == ["h264_nvenc"]
    machine.worker(X264)
    assert machine.tried == ["h264_nvenc", "libx264"]


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ("dev/nvidia1", ""),
        ("sys/module/nvidia/version", "590.1\n"),
        ("proc/sys/kernel/random/boot_id", "b-2\n"),
    ],
)
def test_other_cards_driver_or_boot_are_asked_again(machine, changed, text) -> None:
    machine.worker()
    machine.write(changed, text)
    machine.worker()
    assert machine.tried == ["h264_nvenc"] * 2


def test_what_may_pass_is_asked_again(machine) -> None:
    machine.answer = EncoderTrial("h264_nvenc", f"No: {reason_of(OSError(), NO_LIBRARY)}.")
    machine.worker()
    machine.worker()
    assert machine.tried == ["h264_nvenc"] * 2


def test_a_note_that_cannot_be_read_or_written_does_no_harm(machine) -> None:
    (machine.notes / "no-nvenc.json").write_bytes(b"\xff{")
    assert machine.worker() == REFUSED
    assert machine.worker() == REFUSED
    assert machine.tried == ["h264_nvenc"]
    machine.notes /= "gone"
    assert machine.worker() == REFUSED


def test_a_machine_without_cards_writes_nothing(machine) -> None:
    (machine.root / "dev/nvidia0").unlink()
    assert nvidia_cards(machine.root) == ""
    machine.worker()
    machine.worker()
    assert machine.tried == ["h264_nvenc"] * 2
    assert list(machine.notes.iterdir()) == []
