"""The steps of a task: each after what it waits for, side by side else, and a failure stops those to come."""

from threading import Barrier, Event

import pytest

from project import steps
from project.steps import Step, StepError, run_steps

WAIT = 10  # seconds, for what comes at once


@pytest.fixture
def done() -> list[str]:
    """The names of the steps that came to their end, in order."""
    return []


@pytest.fixture
def step(done):
    def make(name: str, *after: str, first=lambda: None) -> Step:
        """A step that does something first and then is done."""

        def run() -> str:
            first()
            done.append(name)
            return f"{name} is done"

        return Step(name, run, after)

    return make


def fail(error: Exception):
    def raised() -> None:
        raise error

    return raised


def test_a_step_comes_after_all_that_it_waits_for(step, done):
    run_steps([step("last", "b", "c"), step("c", "a"), step("b", "a"), step("a")])
    assert set(done[1:3]) == {"b", "c"}
    assert (done[0], *done[3:]) == ("a", "last")


def test_a_step_begins_once_its_own_are_done_whatever_else_is_under_way(step, done):
    """Not level by level: the slow one comes to its end only once what waits for the fast one has begun."""
    follower_is_done = Event()

    def wait_for_follower() -> None:
        assert follower_is_done.wait(WAIT)

    run_steps(
        [step("slow", first=wait_for_follower), step("fast"), step("follower", "fast", first=follower_is_done.set)]
    )
    assert done[0] == "fast"
    assert set(done) == {"fast", "follower", "slow"}


def test_four_steps_run_side_by_side(step, done):
    together = Barrier(4)
    run_steps([step(name, first=lambda: together.wait(WAIT)) for name in "abcd"])
    assert set(done) == set("abcd")


def test_no_step_is_no_failure():
    run_steps([])


def test_a_failure_is_named_and_what_waits_for_it_does_not_begin(step, done):
    cause = OSError("the disk is full")
    with pytest.raises(StepError, match=r"^bad: the disk is full$") as failed:
        run_steps([step("good"), step("bad", "good", first=fail(cause)), step("next", "bad"), step("last", "next")])
    assert failed.value.__cause__ is cause
    assert done == ["good"]


@pytest.fixture
def noticed(monkeypatch) -> Event:
    """Set once a failure has been noticed: what ends then, ends after it."""
    event, wait = Event(), steps.wait

    def watched(*arguments, **named):
        ended = wait(*arguments, **named)
        if any(future.exception() for future in ended.done):
            event.set()
        return ended

    monkeypatch.setattr(steps, "wait", watched)
    return event


def test_after_a_failure_those_under_way_come_to_their_end_and_no_other_begins(step, done, noticed):
    """Though nothing that `later` waits for has failed."""

    def ends_after() -> None:
        assert noticed.wait(WAIT)

    with pytest.raises(StepError, match=r"^bad: no$"):
        run_steps([step("slow", first=ends_after), step("bad", first=fail(ValueError("no"))), step("later", "slow")])
    assert done == ["slow"]


def test_all_failures_are_named(step, done, noticed):
    def fails_after() -> None:
        assert noticed.wait(WAIT)
        raise ValueError("no columns")

    with pytest.raises(StepError, match=r"^one: no rows; two: no columns$") as failed:
        run_steps([step("two", first=fails_after), step("one", first=fail(OSError("no rows")))])
    assert isinstance(failed.value.__cause__, OSError), "the first one"
    assert done == []


def test_a_step_that_waits_for_none_that_is_there_is_refused_before_any_begins(step, done):
    with pytest.raises(ValueError, match="unknown step: nowhere, other"):
        run_steps([step("a"), step("b", "a", "other"), step("c", "nowhere")])
    assert done == []


def test_lines_of_steps_side_by_side_do_not_run_into_each_other(step, monkeypatch):
    written = []

    class Output:
        """A terminal: what comes in one piece stays in one."""

        def write(self, text):
            written.append(text)

        def flush(self):
            """Nothing is kept back."""

    monkeypatch.setattr("sys.stdout", Output())
    run_steps([step("a"), step("b")])
    assert sorted(text.split()[0] for text in written if text) == ["a", "b"]
    assert all(text.endswith("is done\n") for text in written if text)
