"""A run that is killed between any two writes, a registry that fails, two runs at once: the record stays true."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from pyspark.sql.connect.merge import MergeIntoWriter
from pyspark.sql.connect.readwriter import DataFrameWriter, DataFrameWriterV2

from deployment.model_deployment.record import OvertakenError
from tests.unit.deployment.conftest import Scene

pytestmark = pytest.mark.homes("local", reason="it cuts off the writers of Spark's own client, not of Databricks'")

# All that a move writes outside of its process.
WRITES = (
    (MlflowClient, "set_registered_model_alias"),
    (MlflowClient, "delete_registered_model_alias"),
    (MlflowClient, "set_model_version_tag"),
    (MergeIntoWriter, "merge"),
    (DataFrameWriter, "saveAsTable"),
    (DataFrameWriterV2, "overwrite"),
)


class Killed(BaseException):
    """No `except Exception` sees it, as none sees a kill."""


@contextmanager
def killed_before(write: int) -> Iterator[list[str]]:
    """Ends what runs inside before its n-th write, from 1; yields the names of the writes so far."""
    done: list[str] = []

    def watched(name: str, original: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            done.append(name)
            if len(done) == write:
                raise Killed
            return original(*args, **kwargs)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in WRITES:
            patch.setattr(owner, name, watched(name, getattr(owner, name)))
        yield done


def killed(run: Callable[[], object], write: int) -> bool:
    """Whether the run had an n-th write to be killed before."""
    with killed_before(write):
        try:
            run()
        except Killed:
            return True
    return False


def reign(make_scene: Callable[[], Scene]) -> tuple[Scene, str, str, str]:
    """A model whose champion is the second of its versions, and a third that has passed."""
    scene = make_scene()
    one, two, three = (scene.register() for _ in range(3))
    scene.champions(one, two)
    scene.file(scene.verdict(three, two))
    return scene, one, two, three


def test_the_writes_of_a_promotion_and_a_rollback_are_those_that_are_watched(make_scene) -> None:
    scene, _, _, three = reign(make_scene)
    with killed_before(0) as writes:
        scene.promote(three)
    assert writes == [
        "merge",
        "set_registered_model_alias",
        "merge",
        "delete_registered_model_alias",
    ]
    with killed_before(0) as writes:
        scene.roll_back()
    assert writes == ["merge", "set_registered_model_alias", "set_model_version_tag", "merge"]


@pytest.mark.parametrize("write", range(1, 5))
def test_a_promotion_that_was_killed_is_finished_by_its_second_attempt(make_scene, write) -> None:
    scene, _, two, three = reign(make_scene)
    assert killed(lambda: scene.promote(three), write)
    moved = scene.champion == three
    assert scene.champion in {two, three}
    assert all(row["model_version"] != three or moved for row in scene.rows()), "nothing that did not happen"
    assert scene.promote(three) == three
    assert (scene.champion, scene.challenger) == (three, None)
    assert scene.is_true()
    assert [move for move in scene.moves() if move[1] == "done"][2:] == [("promotion", "done", two, three)]


@pytest.mark.parametrize("write", [2, 3])
def test_after_a_promotion_that_was_killed_a_rollback_goes_to_the_champion_before(make_scene, write) -> None:
    scene, one, two, three = reign(make_scene)
    assert killed(lambda: scene.promote(three), write)
    before = {two: one, three: two}[scene.champion]
    assert scene.roll_back() == before
    assert scene.champion == before
    assert scene.is_true()


@pytest.mark.parametrize("write", [2, 3, 4])
def test_a_rollback_that_was_killed_is_finished_by_its_second_attempt_and_goes_back_once(make_scene, write) -> None:
    scene, one, two, _ = reign(make_scene)
    assert killed(lambda: scene.roll_back(run_id="77"), write)
    assert scene.roll_back(run_id="77") == one
    assert scene.champion == one
    assert scene.is_true()
    assert scene.client.get_model_version(scene.model, two).tags["rolled_back"].endswith("it is wrong")


@contextmanager
def failing_registry(statement: str) -> Iterator[None]:
    """The registry's database answers a statement with an error."""

    def fail(_connection: object, _cursor: object, text: str, *_: object) -> None:
        if text.startswith(statement):
            raise sqlalchemy.exc.OperationalError(text, None, Exception("the server closed the connection"))

    sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", fail)
    try:
        yield
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "before_cursor_execute", fail)


def test_a_registry_that_fails_when_champion_shall_move_leaves_it_and_the_next_run_moves_it(make_scene) -> None:
    scene, _, two, three = reign(make_scene)
    with (
        failing_registry("UPDATE registered_model_aliases"),
        pytest.raises(MlflowException, match="closed the connect"),
    ):
        scene.promote(three)
    assert scene.champion == two
    assert len(scene.moves()) == 2, "nothing has ended"
    assert scene.promote(three) == three
    assert scene.moves()[2:] == [("promotion", "interrupted", two, three), ("promotion", "done", two, three)]
    assert "it ended before champion was moved" in scene.rows()[2]["reason"]


def test_a_registry_that_cannot_be_read_promotes_and_records_nothing(make_scene) -> None:
    scene, _, two, three = reign(make_scene)
    for statement in ("SELECT registered_model_aliases", "SELECT model_versions"):
        with failing_registry(statement), pytest.raises(MlflowException):
            scene.promote(three)
    assert scene.champion == two
    assert len(scene.moves()) == 2


@contextmanager
def waiting_before_the_alias(who: Callable[[], bool]) -> Iterator[tuple[threading.Event, threading.Event]]:
    """Stops the one thread that `who` names where it would set the alias: events `arrived` and `go_on`."""
    arrived, go_on = threading.Event(), threading.Event()
    original = MlflowClient.set_registered_model_alias

    def wait(*args: object, **kwargs: object) -> object:
        if who() and not arrived.is_set():
            arrived.set()
            assert go_on.wait(120)
        return original(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MlflowClient, "set_registered_model_alias", wait)
        yield arrived, go_on


def outcome(run: Callable[[], object], results: list[object]) -> threading.Thread:
    """Runs beside this thread; the result, or what it raised, is in the list."""

    def work() -> None:
        try:
            results.append(run())
        except Exception as error:
            results.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_promotion_that_a_rollback_overtakes_fails_and_champion_is_the_rollbacks(make_scene) -> None:
    scene, one, two, three = reign(make_scene)
    results: list[object] = []
    with waiting_before_the_alias(lambda: threading.current_thread() is slow) as (arrived, go_on):
        slow = outcome(lambda: scene.promote(three), results)
        assert arrived.wait(120)
        assert scene.roll_back() == one
        go_on.set()
        slow.join(120)
    assert isinstance(results[0], OvertakenError)
    assert scene.champion == one
    assert scene.is_true()
    assert scene.moves()[2:] == [("promotion", "interrupted", two, three), ("rollback", "done", two, one)]


def test_two_rollbacks_at_once_leave_a_true_record(make_scene) -> None:
    scene = make_scene()
    versions = [scene.register() for _ in range(4)]
    scene.champions(*versions)
    results: list[object] = []
    for thread in [outcome(scene.roll_back, results) for _ in range(2)]:
        thread.join(120)
    gone_back = [result for result in results if isinstance(result, str)]
    assert 1 <= len(gone_back) <= 2
    assert scene.is_true()
    assert len([move for move in scene.moves() if move[0] == "rollback" and move[1] == "done"]) == len(gone_back)
    assert scene.champion == versions[3 - len(gone_back)]
