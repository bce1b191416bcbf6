"""When faults are, what they do to what lands, who must have said so, and what remains: of faults made up here."""

from datetime import UTC, timedelta

import pandas as pd
import pytest

from feature_engineering import refresh
from local_workspace.errors import LocalWorkspaceError
from replay import faults as faults_module
from replay.caught import missing_of, promoted_during, said_of
from replay.days import Plan
from replay.faults import JOB, MONITORING, QUARANTINE, Fault, Faults, FaultyFeed, faults_of, feed_of, find_faults
from replay.journal import Entry, Event
from tests.unit.tables import moment

DAY = timedelta(days=1)
YEAR = (moment("2024-02-14 00:00"), moment("2024-12-31 00:00"))


def no_file(_: pd.DataFrame) -> None:
    return None


def twice(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([rows, rows])


DOUBLE = Fault("a file twice", "parts", moment("2024-03-19 00:00"), DAY, twice, QUARANTINE, "duplicate")
MISSING = Fault(
    *("no file", "plants", moment("2024-04-09 00:00"), DAY, no_file, JOB, "nothing has landed"),
    leaves_tables_right=True,
)
LATE = Fault("labels late", "parts", moment("2024-10-01 00:00"), 7 * DAY, twice, MONITORING, "labels")


def sent(days: list[str]) -> dict[str, float]:
    return {"parts": 10.0 * len(days), "wear": 1234.5}


def stored(_spark: None, _tables: None, days: list[str]) -> dict[str, float]:
    return sent(days) | {"parts": 10.0 * len(days) - 1}


FAULTS = Faults((DOUBLE, MISSING, LATE), 3 * DAY, sent, stored)
DAILY = {one.fault.name: one for one in faults_of(Plan(*YEAR, 1, True), FAULTS)}


@pytest.mark.parametrize("step", [1, 7])
def test_a_fault_begins_after_a_run_that_was_well_and_is_put_right_by_a_later_one(step):
    found = faults_of(Plan(*YEAR, step, True), FAULTS)
    assert [one.fault for one in found] == [DOUBLE, MISSING, LATE]
    assert all(one.before < one.fault.day <= one.first < one.repaired for one in found)
    assert all(one.repaired >= one.fault.day + one.fault.length for one in found)


def test_a_fault_that_could_not_be_seen_to_be_put_right_is_left_out():
    ends_too_early = Plan(YEAR[0], MISSING.day + 2 * DAY, 1, True)
    assert [one.fault for one in faults_of(ends_too_early, FAULTS)] == [DOUBLE]


def test_a_use_case_without_faults_says_so_when_some_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(faults_module, "_MODULE", "use_case.no_faults")
    assert find_faults() is None
    assert feed_of(Plan(*YEAR, 1, with_faults=False), tmp_path) is None
    with pytest.raises(LocalWorkspaceError, match=r"use_case/faults\.py"):
        feed_of(Plan(*YEAR, 1, with_faults=True), tmp_path)


def test_the_feed_delivers_again_from_before_a_fault_when_it_is_right(tmp_path):
    late = DAILY["labels late"]
    feed = FaultyFeed([late], tmp_path)
    assert feed.delivered_since(late.repaired - DAY, late.repaired) == late.before
    assert feed.delivered_since(late.first, late.first + DAY) == late.first
    assert feed.delivered_since(late.repaired, late.repaired + DAY) == late.repaired
    assert feed.delivered_since(None, late.repaired) is None
    assert late.repaired - late.first == 7 * DAY


def test_only_what_makes_a_job_fail_is_put_right_by_hand_and_once(tmp_path):
    missing, double = DAILY["no file"], DAILY["a file twice"]
    assert FaultyFeed([double], tmp_path).repair(double.first) is None
    assert "no file" in FaultyFeed([missing], tmp_path).repair(missing.first)
    assert FaultyFeed([missing], tmp_path).repair(missing.first) is None  # also after a kill


def said(name: str, *, entries=(), quarantine=(), verdicts=()) -> str:
    return said_of(DAILY[name], entries, quarantine, verdicts)


def test_a_fault_is_caught_by_who_must_say_so_in_time_and_by_its_name():
    fault = DAILY["a file twice"]
    refusal = {"source": "parts", "landed_as_of": fault.first, "rows": 7200, "reason": "duplicate number"}
    assert said(fault.fault.name, quarantine=[refusal]) == "7,200 rows of parts: duplicate number"
    for other in ({"source": "plants"}, {"landed_as_of": fault.repaired}, {"reason": "number: missing"}):
        assert said(fault.fault.name, quarantine=[refusal | other]) == ""


def test_a_missing_file_is_caught_by_the_job_that_failed():
    fault = DAILY["no file"]
    failed = Entry(fault.first, "batch_inference", 1.0, events=(Event("failure", "nothing has landed for plants"),))
    assert said(fault.fault.name, entries=[failed]) == "nothing has landed for plants"
    assert said(fault.fault.name, entries=[Entry(fault.first, "batch_inference", 1.0)]) == ""


def test_late_labels_are_caught_by_what_monitoring_says_in_the_days_after():
    fault = DAILY["labels late"]
    verdict = {"as_of": fault.first + 3 * DAY, "status": "too few labels", "sentence": "Too few labels"}
    assert said(fault.fault.name, verdicts=[verdict]).endswith("Too few labels")
    # With days between two runs, the first run may see it.
    assert said(fault.fault.name, verdicts=[verdict | {"as_of": fault.first}]).endswith("Too few labels")
    assert said(fault.fault.name, verdicts=[verdict | {"status": "ok"}]) == ""
    assert said(fault.fault.name, verdicts=[verdict | {"as_of": fault.first - DAY}]) == ""


def test_a_version_promoted_while_a_fault_lasts_is_named_unless_the_tables_hold_nothing_wrong():
    fault, harmless = DAILY["labels late"], DAILY["no file"]
    move = {"action": "promotion", "status": "done", "model_version": "3", "as_of": fault.first}
    assert promoted_during(fault, [move]) == ("3",)
    for other in ({"status": "refused"}, {"as_of": fault.repaired}, {"as_of": fault.before}, {"action": "rollback"}):
        assert promoted_during(fault, [move | other]) == ()
    assert promoted_during(harmless, [move | {"as_of": harmless.first}]) == ()


def test_what_the_tables_lack_of_a_faults_days_is_said_by_figure():
    # From the day before the fault to its repair.
    assert missing_of(DAILY["a file twice"], FAULTS, None, None) == "parts: 29.0 in place of 30.0"


def test_a_fault_spoils_what_lands_while_it_lasts():
    fault = DAILY["a file twice"]
    assert fault.first.tzinfo is UTC
    assert [fault.spoils(at) for at in (fault.before, fault.first, fault.repaired)] == [False, True, False]


@pytest.fixture
def landed(monkeypatch):
    """A feed that lands five rows in so many files: what it was asked for."""
    asked = []

    def land_in(files: int) -> list:
        def land(_spark, landing, since, as_of, _config):
            asked.append((since, as_of))
            folder = landing / "parts" / f"as_of={as_of:%Y%m%dT%H%M%SZ}"
            folder.mkdir(parents=True)
            rows = pd.DataFrame({"number": [f"{number}" for number in range(5)]})
            for number in range(files):
                rows.iloc[number::files].to_csv(folder / f"part-{number}.csv", index=False)
                (folder / f".part-{number}.csv.crc").touch()

        monkeypatch.setattr(faults_module, "land_news", land)
        return asked

    return land_in


@pytest.mark.parametrize("files", [1, 3])
def test_what_lands_is_spoiled_as_a_whole_in_however_many_files_it_comes(tmp_path, config, landed, files):
    asked, fault = landed(files), DAILY["a file twice"]
    feed = FaultyFeed([fault], tmp_path)
    with feed.in_place():
        refresh.land_news(None, tmp_path, fault.before, fault.first, config)
        refresh.land_news(None, tmp_path, fault.first, fault.repaired, config)
    assert asked == [(fault.before, fault.first), (fault.before, fault.repaired)]
    first, repaired = sorted((tmp_path / "parts").iterdir())
    (file,) = first.glob("*.csv")
    assert sorted(pd.read_csv(file, dtype=str)["number"]) == sorted([*"01234", *"01234"])
    assert len(list(repaired.glob("*.csv"))) == files
