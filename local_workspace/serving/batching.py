"""Predicts for many requests at once: those that come while the model is busy are its next batch.

A prediction costs little more for a hundred rows than for one, so under load a batch costs each request a small part of
that; a request that comes alone waits for nobody.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from local_workspace.serving.requests import Columns

MAX_ROWS = 4096


class Batcher:
    """Hands one model's requests over to it, a batch at a time."""

    def __init__(self, predict: Callable[[Columns], list[Any]], executor: Executor) -> None:
        """Takes the model, which is asked in a thread of the executor."""
        self._predict, self._executor = predict, executor
        self._waiting: list[tuple[Columns, int, asyncio.Future[list[Any]]]] = []
        self._work: asyncio.Task[None] | None = None

    async def predict(self, columns: Columns, rows: int) -> list[Any]:
        """The predictions for one request's rows."""
        answer: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._waiting.append((columns, rows, answer))
        if self._work is None:
            self._work = asyncio.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        while self._waiting:
            batch = self._next_batch()
            joined = _join([columns for columns, _, _ in batch])
            try:
                found = await asyncio.get_running_loop().run_in_executor(self._executor, self._predict, joined)
            except Exception as error:
                for _, _, answer in batch:
                    _settle(answer, error)
                continue
            end = 0
            for _, rows, answer in batch:
                start, end = end, end + rows
                _settle(answer, found[start:end])
        self._work = None

    def _next_batch(self) -> list[tuple[Columns, int, asyncio.Future[list[Any]]]]:
        size, count = 0, 0
        for _, rows, _ in self._waiting:
            if count and size + rows > MAX_ROWS:
                break
            size, count = size + rows, count + 1
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        return batch


def _join(parts: list[Columns]) -> Columns:
    if len(parts) == 1:
        return parts[0]
    return {name: [value for part in parts for value in part[name]] for name in parts[0]}


def _settle(answer: "asyncio.Future[list[Any]]", result: list[Any] | Exception) -> None:
    """Gives a request its answer, unless its caller has gone meanwhile."""
    if answer.done():
        return
    if isinstance(result, Exception):
        answer.set_exception(result)
    else:
        answer.set_result(result)
