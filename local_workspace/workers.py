"""A fixed few threads for notebooks.

They are daemons, so an interrupt ends the process without waiting for a model that is being fitted; and
they stay, because each Python thread has a thread in the JVM that would else be made again for every task.
"""

import threading
from collections.abc import Callable
from queue import SimpleQueue


class Workers:
    """Runs what is submitted in order, as many at a time as there are threads."""

    def __init__(self, number: int) -> None:
        """Starts the threads."""
        self._work: SimpleQueue[Callable[[], None]] = SimpleQueue()
        for index in range(number):
            threading.Thread(target=self._serve, name=f"task-{index + 1}", daemon=True).start()

    def submit(self, work: Callable[[], None]) -> None:
        """Queues a piece of work."""
        self._work.put(work)

    def _serve(self) -> None:
        while True:
            self._work.get()()
