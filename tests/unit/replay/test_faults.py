"""What faults do to what lands, when, and how the contract answers; and who must have said so."""

from datetime import UTC, timedelta
from itertools import pairwise

import pandas as pd
import pytest

from feature_engineering.contract_check import refusals
from feature_engineering.contracts import FLIGHTS, WEATHER
from feature_engineering.feed import sample_folder
from replay.caught import promoted_during, said_of
from replay.days import Plan
from replay.faults import (
    FAULTS,
    JOB,
    NEW_CARRIER,
    FaultyFeed,
    Scheduled,
    faults_of,
    in_celsius,
    with_new_carrier,
    without_arrivals,
    without_delays,
)
from replay.journal import Entry, Event
from tests.unit.tables import moment

YEAR = (moment("2013-02-14 00:00"), moment("2013-12-31 00:00"))
DAILY = {one.fault.name: one for one in faults_of(Plan(*YEAR, 1, True))}


@pytest.fixture(scope="module")
def weather():
    """Two days' observations as they land."""
    rows = pd.read_csv(sample_folder() / "weather.csv", dtype=str)
    return rows[rows["time_hour"].str[:10].isin(["2013-01-13", "2013-08-13"])]


@pytest.fixture(scope="module")
def flights():
    """Flights of 14 May as they land: some scheduled, some on their way, the others there."""
    rows = pd.read_csv(sample_folder() / "flights.csv.zip", dtype=str, nrows=200)
    rows = rows[rows["arr_delay"].notna()].assign(status="arrived", month="5", day="14")
    scheduled = rows.index[:20]
    rows.loc[scheduled, ["dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"]] = None
    rows.loc[scheduled, "status"] = "scheduled"
    return rows


def refused(rows, contract):
    return refusals(rows[list(contract.types)].reset_index(drop=True), contract).dropna()


@pytest.mark.parametrize("step", [1, 7])
def test_each_fault_has_its_days_in_the_year_and_no_two_meet(step):
    found = sorted(faults_of(Plan(*YEAR, step, True)), key=lambda one: one.first)
    assert {one.fault.name for one in found} == {fault.name for fault in FAULTS}
    assert all(earlier.repaired < later.before for earlier, later in pairwise(found))
    assert all(one.before < one.first < one.repaired for one in found)


def test_a_fault_that_could_not_be_seen_to_be_put_right_is_left_out():
    ends_too_early = Plan(YEAR[0], moment("2013-04-11 00:00"), 1, True)
    assert [one.fault.name for one in faults_of(ends_too_early)] == ["a file twice"]


def test_the_feed_delivers_again_from_before_a_fault_when_it_is_right(tmp_path):
    late = DAILY["a week's labels late"]
    feed = FaultyFeed([late], tmp_path)
    day = timedelta(days=1)
    assert feed.delivered_since(late.repaired - day, late.repaired) == late.before
    assert feed.delivered_since(late.first, late.first + day) == late.first
    assert feed.delivered_since(late.repaired, late.repaired + day) == late.repaired
    assert feed.delivered_since(None, late.repaired) is None
    assert late.repaired - late.first == 7 * day


def test_only_what_makes_a_job_fail_is_put_right_by_hand_and_once(tmp_path):
    missing, celsius = DAILY["a day's weather missing"], DAILY["°C in place of °F"]
    assert missing.fault.caught_by == JOB
    assert FaultyFeed([celsius], tmp_path).repair(celsius.first) is None
    assert "weather missing" in FaultyFeed([missing], tmp_path).repair(missing.first)
    assert FaultyFeed([missing], tmp_path).repair(missing.first) is None  # also after a kill


def test_right_rows_are_not_refused(weather, flights):
    assert refused(weather, WEATHER).empty
    assert refused(flights, FLIGHTS).empty


def test_degrees_celsius_are_refused_by_name_in_winter_and_in_summer(weather):
    for _, day in weather.groupby(weather["time_hour"].str[:10]):
        reasons = refused(in_celsius(day), WEATHER)
        assert len(reasons) == len(day)
        assert set(reasons) == {"temp, dewp: not degrees Fahrenheit, by humid"}


def test_flights_without_a_delay_are_refused_by_name_but_for_those_that_have_not_left(flights):
    reasons = refused(without_delays(flights), FLIGHTS)
    assert len(reasons) == (flights["status"] == "arrived").sum()
    assert set(reasons) == {"dep_delay or arr_delay: missing of a flight that has left or arrived"}


def test_with_late_labels_flights_have_left_and_nobody_knows_when_they_arrived(flights):
    late = without_arrivals(flights)
    assert late["status"].value_counts().to_dict() == {"departed": len(flights) - 20, "scheduled": 20}
    arrival = ["arr_time", "arr_delay", "air_time"]
    assert late[arrival].isna().all(axis=None)
    kept = flights.columns.difference([*arrival, "status"])
    pd.testing.assert_frame_equal(late[kept], flights[kept])
    assert refused(late, FLIGHTS).empty


def test_a_new_carrier_comes_beside_the_others_on_its_days_alone(flights):
    own = with_new_carrier(moment("2013-05-14 00:00"), 1)(flights)
    added = own[own["carrier"] == NEW_CARRIER]
    assert len(added) == (flights["carrier"] == "B6").sum() > 0
    assert len(own) == len(flights) + len(added)
    assert refused(own, FLIGHTS).empty
    assert len(with_new_carrier(moment("2013-05-15 00:00"), 5)(flights)) == len(flights)


def said(name: str, *, entries=(), quarantine=(), verdicts=()) -> str:
    return said_of(DAILY[name], entries, quarantine, verdicts)


def test_a_fault_is_caught_by_who_must_say_so_in_time_and_by_its_name():
    fault = DAILY["°C in place of °F"]
    refusal = {"source": "weather", "landed_as_of": fault.first, "rows": 72, "reason": "temp: not degrees Fahrenheit"}
    assert said(fault.fault.name, quarantine=[refusal]) == "72 rows of weather: temp: not degrees Fahrenheit"
    for other in ({"source": "flights"}, {"landed_as_of": fault.repaired}, {"reason": "temp: not in -60 to 130"}):
        assert said(fault.fault.name, quarantine=[refusal | other]) == ""


def test_a_missing_file_is_caught_by_the_job_that_failed():
    fault = DAILY["a day's weather missing"]
    failed = Entry(fault.first, "batch_inference", 1.0, events=(Event("failure", "nothing has landed for weather"),))
    assert said(fault.fault.name, entries=[failed]) == "nothing has landed for weather"
    assert said(fault.fault.name, entries=[Entry(fault.first, "batch_inference", 1.0)]) == ""


def test_late_labels_are_caught_by_what_monitoring_says_in_the_days_after():
    fault = DAILY["a week's labels late"]
    verdict = {"as_of": fault.first + timedelta(days=3), "status": "too few labels", "sentence": "Too few labels"}
    assert said(fault.fault.name, verdicts=[verdict]).endswith("Too few labels")
    # With days between two runs, the first run may see it.
    assert said(fault.fault.name, verdicts=[verdict | {"as_of": fault.first}]).endswith("Too few labels")
    assert said(fault.fault.name, verdicts=[verdict | {"status": "ok"}]) == ""
    assert said(fault.fault.name, verdicts=[verdict | {"as_of": fault.first - timedelta(days=1)}]) == ""


def test_a_version_promoted_while_a_fault_lasts_is_named():
    fault = DAILY["all delays null"]
    move = {"action": "promotion", "status": "done", "model_version": "3", "as_of": fault.first}
    assert promoted_during(fault, [move]) == ("3",)
    for other in ({"status": "refused"}, {"as_of": fault.repaired}, {"as_of": fault.before}, {"action": "rollback"}):
        assert promoted_during(fault, [move | other]) == ()


def test_where_the_tables_hold_nothing_wrong_a_promotion_is_none_of_the_faults():
    for name in ("a file twice", "a new carrier", "a day's weather missing"):
        fault = DAILY[name]
        move = {"action": "promotion", "status": "done", "model_version": "3", "as_of": fault.first}
        assert promoted_during(fault, [move]) == ()


def test_a_fault_spoils_what_lands_while_it_lasts():
    fault: Scheduled = DAILY["all delays null"]
    assert fault.first.tzinfo is UTC
    assert [fault.spoils(at) for at in (fault.before, fault.first, fault.repaired)] == [False, True, False]


@pytest.mark.parametrize("files", [1, 3])
def test_what_lands_is_spoiled_as_a_whole_in_however_many_files_it_comes(tmp_path, monkeypatch, flights, files):
    def land(spark, source, landing, since, as_of, *_):
        folder = landing / "flights" / f"as_of={as_of:%Y%m%dT%H%M%SZ}"
        folder.mkdir(parents=True)
        for number in range(files):
            flights.iloc[number::files].to_csv(folder / f"part-{number}.csv", index=False)
            (folder / f".part-{number}.csv.crc").touch()

    monkeypatch.setattr("replay.faults.land_sample", land)
    fault = DAILY["a file twice"]
    FaultyFeed([fault], tmp_path)(None, tmp_path, tmp_path, fault.before, fault.first, timedelta(days=1), fault.before)
    (file,) = (tmp_path / "flights").glob("*/*.csv")
    landed = pd.read_csv(file, dtype=str)
    assert landed.value_counts(dropna=False).eq(2).all()
    assert len(landed) == 2 * len(flights)
