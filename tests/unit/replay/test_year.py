"""The year's days in order: what is started, what a person does about a failure, and a kill at any moment."""

import os
import signal
import subprocess
import sys
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from local_workspace.errors import LocalWorkspaceError
from local_workspace.workspace import REPOSITORY
from replay.days import days
from replay.journal import Entry, Journal
from replay.year import Jobs, is_over, play
from tests.unit.replay.stand_in import END, START, Files, Nothing, replay
from tests.unit.tables import moment


def facts(folder):
    """What two replays must agree on: all but the times that they took."""
    files = Files(folder)
    entries = [(e.as_of, e.job, e.champion, e.trainings) for e in Journal(folder / "journal.jsonl").read()]
    return files.lines("done"), files.lines("versions"), entries


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unbroken")
    replay(Files(folder))
    return folder


def test_a_first_model_is_trained_and_then_each_day_is_scored_and_watched(unbroken):
    done, versions, entries = facts(unbroken)
    assert done[:4] == [
        "training 2024-02-03",
        "batch_inference 2024-02-03 48",
        "monitoring 2024-02-03",
        "batch_inference 2024-02-05 48",
    ]
    assert done[-1] == "monitoring 2024-02-11"
    assert len(done) == 1 + 2 * 5
    assert len(versions) == 1
    assert [entry[0] for entry in entries][-1] == END


def test_a_day_is_scored_by_the_champion_that_monitoring_left(tmp_path):
    files = Files(tmp_path)
    jobs = Jobs(files.run, files.champion, files.trainings)
    play(days(START, END, 1), jobs, Journal(tmp_path / "journal.jsonl"), Nothing())
    champions = {(e.as_of.day, e.job): e.champion for e in Journal(tmp_path / "journal.jsonl").read()}
    assert champions[6, "batch_inference"] == "1"
    assert champions[6, "monitoring"] == champions[7, "batch_inference"] == "2"


@pytest.mark.parametrize("killed_after", [1, 2, 7])
def test_a_killed_replay_goes_on_with_the_job_that_it_was_at(tmp_path, unbroken, killed_after):
    command = [sys.executable, "-m", "tests.unit.replay.stand_in", str(tmp_path), str(killed_after)]
    path = os.pathsep.join([str(REPOSITORY / "local_workspace" / "site"), str(REPOSITORY)])
    killed = subprocess.run(command, cwd=REPOSITORY, env={**os.environ, "PYTHONPATH": path}, check=False)  # noqa: S603 (our own interpreter)
    assert killed.returncode == -signal.SIGKILL
    before = len(Files(tmp_path).lines("done"))
    replay(Files(tmp_path))
    found, wanted = facts(tmp_path), facts(unbroken)
    assert found[:2] == wanted[:2]
    # A first model whose job was cut off after it was made champion is not trained again, so it has no entry.
    assert [e for e in found[2] if e[1] != "training"] == [e for e in wanted[2] if e[1] != "training"]
    assert before < len(Files(tmp_path).lines("done"))


def test_a_finished_replay_runs_nothing(unbroken):
    before = (unbroken / "done").stat().st_mtime_ns, len(Journal(unbroken / "journal.jsonl").read())
    replay(Files(unbroken, killed_after=0))
    assert before == ((unbroken / "done").stat().st_mtime_ns, len(Journal(unbroken / "journal.jsonl").read()))


class Watching:
    """Notes the days that are shown."""

    def __init__(self):
        self.days = []

    def day(self, day, _):
        self.days.append(day.as_of.day)
        return nullcontext()


def test_a_replay_goes_on_without_showing_the_days_that_are_over(tmp_path):
    files, journal, show = Files(tmp_path), Journal(tmp_path / "journal.jsonl"), Watching()
    jobs = Jobs(files.run, files.champion, files.trainings)
    all_days = days(START, END, 1)
    play(all_days[:2], jobs, journal, show)
    play(all_days[:3], jobs, journal, show)
    assert show.days == [day.as_of.day for day in all_days[:3]]


def test_a_day_is_over_when_nothing_more_is_due_on_it():
    one, two = days(START, END, 1)[:2]
    assert not is_over(one, [])
    assert not is_over(one, [Entry(one.as_of, "training", 1.0, champion="1")])
    assert not is_over(one, [Entry(one.as_of, "batch_inference", 1.0, champion="1")])
    assert is_over(one, [Entry(one.as_of, "monitoring", 1.0, champion="1")])
    assert is_over(one, [Entry(one.as_of, "training", 1.0)])  # refused: there is nothing to score with
    assert is_over(one, [Entry(two.as_of, "batch_inference", 1.0, champion="1")])
    assert not is_over(two, [Entry(one.as_of, "monitoring", 1.0, champion="1")])


def test_without_a_champion_features_are_kept_up_and_a_model_is_tried_each_week(tmp_path):
    ran = []

    def run(job, parameters):
        ran.append((job, parameters["as_of"][5:10]))
        return SimpleNamespace(failed=False)

    end = moment("2024-02-10 00:00")
    play(days(START, end, 1), Jobs(run, lambda: None, lambda: 0), Journal(tmp_path / "journal.jsonl"), Nothing())
    assert [when for job, when in ran if job == "training"] == ["02-02", "02-09"]
    assert {job for job, _ in ran} == {"training", "feature_engineering"}


class Failing:
    """A scoring job that fails until the feed is put right."""

    def __init__(self, can_be_repaired: bool) -> None:
        self.can_be_repaired, self.is_right, self.ran = can_be_repaired, False, 0

    def run(self, job, _):
        if job != "batch_inference":
            return SimpleNamespace(failed=False)
        self.ran += 1
        task = SimpleNamespace(path=(job, "check_orders"), error=FileNotFoundError("nothing has landed\nmore"))
        return SimpleNamespace(failed=not self.is_right, failures=lambda: iter([task]))

    def repair(self, _):
        self.is_right = self.can_be_repaired
        return "the file has landed" if self.can_be_repaired else None


def test_a_job_that_failed_runs_once_more_when_the_feed_is_right_again(tmp_path):
    failing, journal = Failing(can_be_repaired=True), Journal(tmp_path / "journal.jsonl")
    play(days(START, END, 10), Jobs(failing.run, lambda: "1", lambda: 1, failing.repair), journal, Nothing())
    assert failing.ran == 2
    scored = journal.read()[0]
    assert [(event.kind, event.text) for event in scored.events] == [
        ("failure", "batch_inference: batch_inference ▸ check_orders: nothing has landed"),
        ("repair", "the file has landed"),
    ]


def test_a_failure_that_nobody_explains_ends_the_replay_and_the_day_is_not_finished(tmp_path):
    failing, journal = Failing(can_be_repaired=False), Journal(tmp_path / "journal.jsonl")
    jobs = Jobs(failing.run, lambda: "1", lambda: 1, failing.repair)
    with pytest.raises(LocalWorkspaceError, match=r"2024-02-11.*check_orders: nothing has landed"):
        play(days(START, END, 10), jobs, journal, Nothing())
    assert journal.read() == []
    failing.is_right = True
    play(days(START, END, 10), jobs, journal, Nothing())
    assert [entry.job for entry in journal.read()] == ["batch_inference", "monitoring"]
