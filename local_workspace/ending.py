"""What a process stops as it ends, and what it leaves as it is."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# They end a command's process at once, with threads that are amid their work.
AT_ONCE = (KeyboardInterrupt, BrokenPipeError)
# Held, as what is collected may stop too.
_left: list[Callable[[], object]] = []


@contextmanager
def stopped(stop: Callable[[], object]) -> Iterator[None]:
    """Stops something after the block, but where the process ends at once: a thread that still uses it goes on.

    gRPC would crash the process when such a thread makes a call on a channel that is closed, and a server would wait
    for the calls that it answers.
    """
    try:
        yield
    finally:
        if isinstance(sys.exception(), AT_ONCE):
            _left.append(stop)
        else:
            stop()
