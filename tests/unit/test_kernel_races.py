"""Python sets a view while mirrors, pages, broken links and new servers come in every order."""

from __future__ import annotations

import random

import pytest
from tests.unit.world_kit import N, World, volume_in, world_of


@pytest.fixture
def volume(tmp_path) -> str:
    return volume_in(tmp_path)


async def happen(world: World, chance: random.Random) -> None:
    """Do one thing."""
    what = chance.choices(
        ("send", "hear", "run", "mirror", "set", "scroll", "look", "open", "break", "link", "kill"),
        (8, 8, 6, 5, 4, 5, 2, 2, 1, 4, 0.5),
    )[0]
    match what:
        case "set":
            world.viewer.slice_idx = chance.randrange(N)
        case "scroll":
            world.scroll(chance.randrange(N))
        case "open":
            await world.open_volume()
        case "kill":
            await world.kill()
        case _:
            acts = {
                "send": world.send_one,
                "hear": world.hear_one,
                "run": world.run_one,
                "mirror": world.mirror,
                "look": world.look,
                "break": world.break_off,
                "link": world.connect,
            }
            acts[what]()


@pytest.mark.parametrize("is_kept", [False, True], ids=["nothing is kept", "kept"])
@pytest.mark.parametrize("seed", range(25))
async def test_what_is_set_last_is_shown_whatever_came_before(volume, tmp_path, seed, is_kept):
    chance = random.Random(seed)
    async with world_of(volume, tmp_path / "kept" if is_kept else None) as world:
        for _ in range(60):
            await happen(world, chance)
        # Maybe what the kernel believes to be shown.
        wanted = chance.choice([world.viewer.slice_idx, chance.randrange(N)])
        world.viewer.slice_idx = wanted
        await world.settle()
        assert world.state.slice_idx[0] == wanted
        assert world.viewer.slice_idx == wanted


@pytest.mark.parametrize("seed", range(10))
async def test_what_a_page_shows_last_is_what_python_reads(volume, tmp_path, seed):
    chance = random.Random(1000 + seed)
    async with world_of(volume, tmp_path / "kept") as world:
        for _ in range(60):
            await happen(world, chance)
        await world.settle()
        world.look()
        wanted = chance.randrange(N)
        world.scroll(wanted)
        await world.settle()
        assert world.state.slice_idx[0] == wanted
        assert world.viewer.slice_idx == wanted
