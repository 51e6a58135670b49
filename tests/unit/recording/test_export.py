"""Films of recordings: pace, size, pauses, and what is left when it was cancelled."""

import av
import ipywidgets
import pytest

from blustream_widget import progress
from blustream_widget.errors import (
    RecordingCancelledError,
    RecordingError,
    RecordingExistsError,
)
from blustream_widget.recording.file import RecordingFile
from blustream_widget.recordings import Recording


@pytest.fixture
def recording(camera, tmp_path):
    """Half a second of picture 1, of 2 with a white still after 0.1 s, of 3 in another size."""
    file = RecordingFile(tmp_path / "view.mp4")
    file.add_picture(camera.shoot())
    file.add_picture(camera.shoot(after=45_000))
    file.add_still(camera.now + 9000, camera.still(255))
    file.flush(camera.now + 20_000)
    camera.size(32, 48)
    file.add_picture(camera.shoot(after=45_000))
    file.finish(camera.now + 45_000)
    return Recording(tmp_path / "view.mp4")


def greys(path):
    with av.open(str(path)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return [round(float(picture[20:28, 30:34].mean())) for picture in pictures], pictures


@pytest.mark.parametrize("ending", [".mp4", ".webm", ".gif"])
def test_a_film_shows_what_was_seen_when_it_was_seen(recording, tmp_path, ending):
    shares = []
    film = recording.export(tmp_path / f"film{ending}", fps=10, on_progress=shares.append)
    found, pictures = greys(film)
    # 16 + 10 n of limited range; the still takes the place of picture 2 after a tenth of a second.
    one, two, three = (round(10 * n * 255 / 219) for n in (1, 2, 3))
    wanted = [one] * 5 + [two] + [255] * 4 + [three] * 5
    assert found == pytest.approx(wanted, abs=8)
    assert {picture.shape for picture in pictures} == {(48, 64, 3)}
    assert pictures[-1][:, :12].max() < 20  # the narrower picture has black beside it
    assert shares == pytest.approx([n / 15 for n in range(1, 16)])


def test_a_cancelled_export_leaves_nothing(recording, tmp_path):
    with pytest.raises(RecordingCancelledError):
        recording.export(tmp_path / "film.mp4", on_progress=lambda share: share < 0.5)
    assert [path.name for path in tmp_path.iterdir()] == ["view.mp4"]


def test_a_film_that_is_there_stays_unless_it_may_not(recording, tmp_path):
    target = tmp_path / "film.gif"
    target.write_text("mine")
    with pytest.raises(RecordingExistsError, match="already"):
        recording.export(target)
    assert target.read_text() == "mine"
    recording.export(target, overwrite=True)
    assert target.read_bytes().startswith(b"GIF89a")


@pytest.mark.parametrize(("name", "fps"), [("film.avi", None), ("film.mp4", 0), ("film.gif", 61)])
def test_what_cannot_be_is_refused_by_name(recording, tmp_path, name, fps):
    with pytest.raises(RecordingError, match=r"film\.avi|fps="):
        recording.export(tmp_path / name, fps=fps)


def test_a_notebook_sees_how_far_it_is_without_being_asked(recording, tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(progress, "_is_notebook", lambda: True)
    monkeypatch.setattr("IPython.display.display", shown.append)
    made = []
    monkeypatch.setattr(ipywidgets.FloatProgress, "close", lambda bar: made.append(bar.value))
    recording.export(tmp_path / "film.mp4", fps=10)
    (box,) = shown
    assert box.children[1].value == "Writes film.mp4"
    assert made == [pytest.approx(1 / 15)]  # the next would have come a tenth of a second later
