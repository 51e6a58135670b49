import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from blustream_widget.data.cache import BrickCache
from blustream_widget.data.source import BrickKey

BRICK = np.zeros(10, np.float32)


def key(number):
    return BrickKey(0, 0, number, 0, 0)


def test_the_least_recently_used_brick_goes_first():
    cache = BrickCache(3 * BRICK.nbytes)
    for number in range(3):
        cache.put(key(number), BRICK)
    cache.find(key(0))
    cache.put(key(3), BRICK)
    assert [key(n) in cache for n in range(4)] == [True, False, True, True]


def test_shown_bricks_outlive_others():
    cache = BrickCache(3 * BRICK.nbytes)
    cache.put(key(0), BRICK)
    cache.pin([key(0)])
    for number in range(1, 6):
        cache.put(key(number), BRICK)
    assert key(0) in cache
    cache.pin([])
    for number in range(6, 9):
        cache.put(key(number), BRICK)
    assert key(0) not in cache


def test_the_coarsest_level_stays():
    cache = BrickCache(3 * BRICK.nbytes)
    cache.keep(key(0))
    cache.put(key(0), BRICK)
    for number in range(1, 9):
        cache.put(key(number), BRICK)
    assert key(0) in cache


def test_a_brick_larger_than_the_budget_is_not_kept():
    cache = BrickCache(BRICK.nbytes - 1)
    cache.put(key(0), BRICK)
    assert len(cache) == 0
    assert cache.used_bytes == 0


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(1, 40), st.booleans()), max_size=60),
    st.integers(20, 400),
)
def test_the_budget_holds_whatever_is_put_and_pinned(steps, budget):
    cache = BrickCache(budget)
    for number, size, is_shown in steps:
        if is_shown:
            cache.pin([key(n) for n in range(number)])
        cache.put(key(number), np.zeros(size, np.uint8))
        assert cache.used_bytes <= budget
    assert cache.used_bytes == sum(b.nbytes for b in cache._bricks.values())
