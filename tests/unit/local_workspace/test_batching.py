"""Requests that come while the model is busy are one batch, and each gets its own answers."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from local_workspace.serving import batching
from local_workspace.serving.batching import Batcher


class Model:
    """Doubles its input, once it may; fails on a negative one."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def predict(self, columns):
        self.may_go_on.wait(10)
        self.sizes.append(len(columns["x"]))
        if min(columns["x"]) < 0:
            raise ValueError("negative")
        return [2 * x for x in columns["x"]]


def ask(model: Model, *requests: list[int]) -> list[object]:
    """What the requests get that come while the first of them is answered."""

    async def run() -> list[object]:
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(model.predict, executor)
            model.may_go_on.clear()
            first = asyncio.create_task(batcher.predict({"x": requests[0]}, len(requests[0])))
            await asyncio.sleep(0)
            others = [asyncio.create_task(batcher.predict({"x": xs}, len(xs))) for xs in requests[1:]]
            await asyncio.sleep(0)
            model.may_go_on.set()
            return await asyncio.gather(first, *others, return_exceptions=True)

    return asyncio.run(run())


def test_what_waits_is_one_batch() -> None:
    model = Model()
    assert ask(model, [1], [2, 3], [4]) == [[2], [4, 6], [8]]
    assert sum(model.sizes) == 4
    assert len(model.sizes) <= 2


def test_a_batch_has_a_largest_size_that_a_single_request_may_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "MAX_ROWS", 2)
    model = Model()
    assert ask(model, [1], [1, 2], [3, 4, 5], [6]) == [[2], [2, 4], [6, 8, 10], [12]]
    assert max(model.sizes) == 3


def test_a_failure_reaches_who_asked_and_the_next_is_answered() -> None:
    model = Model()
    (failure,) = ask(model, [-1])
    assert isinstance(failure, ValueError)
    assert ask(model, [1]) == [[2]]


def test_a_caller_that_has_gone_does_not_take_the_others_answers() -> None:
    model = Model()

    async def run() -> list[int]:
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(model.predict, executor)
            model.may_go_on.clear()
            first = asyncio.create_task(batcher.predict({"x": [1]}, 1))
            gone = asyncio.create_task(batcher.predict({"x": [2]}, 1))
            stays = asyncio.create_task(batcher.predict({"x": [3]}, 1))
            await asyncio.sleep(0)
            gone.cancel()
            model.may_go_on.set()
            await first
            return await stays

    assert asyncio.run(run()) == [6]
