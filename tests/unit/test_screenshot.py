"""Pictures of a view in Python: saved, cropped to a pane, laid out as on the page."""

import numpy as np
import pytest

from blustream_widget.core.picture_messages import PanePlace, PictureTaken
from blustream_widget.core.types import Picture
from blustream_widget.encode.stills import PngEncoder
from blustream_widget.errors import StateError
from blustream_widget.screenshot import Screenshot, arranged, check_scale, screenshot_of


def png_of(pixels):
    height, width = pixels.shape[:2]
    return bytes(PngEncoder().encode(Picture(pixels, "rgb24", width, height)))


def pane(value, width, height):
    return np.full((height, width, 3), value, np.uint8)


@pytest.fixture
def whole():
    return np.random.default_rng(1).integers(0, 255, (32, 48, 3)).astype(np.uint8)


def test_one_pane_is_the_servers_file_and_larger_ones_repeat_its_pixels(whole):
    taken = PictureTaken("s", 1, png_of(whole))
    assert screenshot_of(taken, None, 1).png == taken.png
    large = screenshot_of(taken, 0, 3)
    assert np.array_equal(large.to_array(), whole.repeat(3, axis=0).repeat(3, axis=1))
    assert large._repr_png_() == large.png


def test_a_pane_of_several_is_cut_out_of_the_picture(whole):
    places = (PanePlace(0, 0, 0, 20, 32), PanePlace(2, 32, 16, 16, 16))
    taken = PictureTaken("s", 1, png_of(whole), "2x2", places)
    assert np.array_equal(screenshot_of(taken, 2, 1).to_array(), whole[16:, 32:])
    with pytest.raises(StateError, match="Shown: 0, 2"):
        screenshot_of(taken, 1, 1)


@pytest.mark.parametrize(
    ("layout", "sizes", "corners"),
    [
        ("compare", [(20, 10), (20, 10)], [(0, 0), (22, 0)]),
        ("orthogonal", [(20, 22), (30, 10), (30, 10)], [(0, 0), (22, 0), (22, 12)]),
        ("2x2", [(20, 10), (30, 10), (20, 16), (30, 16)], [(0, 0), (22, 0), (0, 12), (22, 12)]),
        ("quad", [(20, 10), (30, 10), (20, 16)], [(0, 0), (22, 0), (0, 12)]),
        ("picture-in-picture", [(80, 60), (20, 10)], [(0, 0), (48, 38)]),
    ],
)
def test_panes_lie_as_on_the_page(layout, sizes, corners):
    parts = {k: pane(k + 1, *size) for k, size in enumerate(sizes)}
    picture = arranged(layout, parts)
    for k, ((x, y), (width, height)) in enumerate(zip(corners, sizes, strict=True)):
        shown = picture[y : y + height, x : x + width]
        assert (shown == k + 1).all() or layout == "picture-in-picture"
    assert picture.shape[1] == max(x + w for (x, _), (w, _) in zip(corners, sizes, strict=True))


def test_it_is_saved_once_as_png(whole, tmp_path):
    picture = Screenshot(png_of(whole))
    path = picture.save(tmp_path / "view")
    assert (path.name, path.read_bytes()) == ("view.png", picture.png)
    with pytest.raises(StateError, match="is there already"):
        picture.save(path)
    assert picture.save(path, overwrite=True) == path
    with pytest.raises(StateError, match="PNG"):
        picture.save(tmp_path / "view.jpg")
    with pytest.raises(StateError, match="cannot be written"):
        picture.save(tmp_path / "no" / "view.png")


@pytest.mark.parametrize("scale", [0, 9, 1.5, True, "2"])
def test_a_scale_that_is_none_is_refused(scale):
    with pytest.raises(StateError, match="scale"):
        check_scale(scale)
