"""The steps of one task: those that don't wait for each other run side by side, and each says what it did."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from graphlib import TopologicalSorter

_SIDE_BY_SIDE = 4
_NAME_WIDTH = 24


@dataclass(frozen=True)
class Step:
    """A part of a task.

    Attributes:
        name: what it is called where it says what it did, and where it fails.
        run: does it, and says in a few words what it did, such as "1,002 rows".
        after: the names of the steps that it waits for.
    """

    name: str
    run: Callable[[], str]
    after: tuple[str, ...] = ()


class StepError(RuntimeError):
    """Steps failed; the text names each. What was done before is done."""


def run_steps(steps: Sequence[Step]) -> None:
    """Runs each step once all that it waits for are done, and prints a line: its name, seconds, and what it did.

    After a failure no other step begins; those under way come to their end.

    Raises:
        StepError: one or more failed; its cause is the first failure.
        ValueError: a step waits for one that is not there, or two have the same name.
    """
    known = {step.name: step for step in steps}
    if len(known) < len(steps):
        raise ValueError(f"two steps have the same name: {', '.join(step.name for step in steps)}")
    if unknown := {name for step in steps for name in step.after} - set(known):
        raise ValueError(f"unknown step: {', '.join(sorted(unknown))}")
    order = TopologicalSorter({step.name: step.after for step in steps})
    order.prepare()
    failures: dict[str, BaseException] = {}
    under_way: dict[Future[None], str] = {}
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as beside:
        while order.is_active():
            ready = [] if failures else order.get_ready()
            under_way |= {beside.submit(_run, known[name]): name for name in ready}
            if not under_way:
                break
            for ended in wait(under_way, return_when=FIRST_COMPLETED).done:
                name = under_way.pop(ended)
                if (error := ended.exception()) is not None:
                    failures[name] = error
                else:
                    order.done(name)
    if failures:
        first = next(iter(failures.values()))
        raise StepError("; ".join(f"{name}: {error}" for name, error in failures.items())) from first


def _run(step: Step) -> None:
    began = time.monotonic()
    done = step.run()
    # With its end in one piece: others print meanwhile.
    print(f"{step.name:<{_NAME_WIDTH}} {time.monotonic() - began:5.1f} s   {done}\n", end="", flush=True)
