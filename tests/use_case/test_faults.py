"""What the sample's faults do to what lands, on which days, and how the contract answers."""

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from feature_engineering.contract_check import refusals
from project.config import load_config
from project.tables import Tables
from replay.days import Plan
from replay.faults import faults_of
from tests.homes import Home
from tests.unit.tables import InputTables, moment
from use_case.contracts import FLIGHTS, WEATHER
from use_case.faults import (
    FAULTS,
    NEW_CARRIER,
    in_celsius,
    sent,
    stored,
    with_new_carrier,
    without_arrivals,
    without_delays,
)
from use_case.feed import sample_folder

DAYS = ("2013-01-01", "2013-01-02", "2013-01-03")


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
def test_each_fault_has_its_days_in_what_is_replayed_and_no_two_meet(step):
    replayed = load_config().source.replay
    assert replayed
    found = sorted(faults_of(Plan(*replayed, step, True), FAULTS), key=lambda one: one.first)
    assert {one.fault.name for one in found} == {fault.name for fault in FAULTS.faults}
    assert all(earlier.repaired < later.before for earlier, later in pairwise(found))


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


@pytest.fixture
def tables(home: Home, spark: SparkSession, inputs: InputTables) -> Iterator[Tables]:
    """What a refresh makes of three days of the sample, so far as it is compared."""
    raw = pd.read_csv(sample_folder() / "flights.csv.zip", nrows=4000)
    raw = raw[raw["day"] <= 3]
    date = pd.to_datetime(raw[["year", "month", "day"]]).dt.strftime("%Y-%m-%d")
    flight_id = raw["carrier"] + raw["flight"].astype(str) + "-" + raw["origin"] + "-" + date
    weather = pd.read_csv(sample_folder() / "weather.csv")
    weather = weather[weather["time_hour"].str[:10].isin(DAYS)]
    observed_at = pd.to_datetime(weather["time_hour"]) + timedelta(hours=1)
    labels = pd.DataFrame({"flight_id": flight_id, "carrier": raw["carrier"], "arr_delay": raw["arr_delay"]})
    added = labels.head(5).assign(carrier=NEW_CARRIER)
    with home.schema(spark, "compared") as made:
        inputs.write_frame(made.named("flights"), pd.concat([labels, added])[["flight_id", "carrier"]])
        inputs.write_frame(made.labels, pd.concat([labels, added]))
        inputs.write_frame(made.named("weather"), pd.DataFrame({"observed_at": observed_at, "temp": weather["temp"]}))
        yield made


def test_tables_that_have_all_of_the_sample_have_its_figures(spark, tables):
    assert stored(spark, tables, DAYS) == pytest.approx(sent(DAYS))
    assert sent(DAYS)["observations"] > sent(DAYS[1:])["observations"] > 0


def test_units_are_mistaken_where_inputs_have_them():
    minutes, fahrenheit = FAULTS.units
    assert re.fullmatch(minutes.columns, "last_leg_arr_delay")
    assert not re.fullmatch(minutes.columns, "departure_minute_of_day")
    assert re.fullmatch(fahrenheit.columns, "dewp")
    assert not re.fullmatch(fahrenheit.columns, "temp_change_3h")
    assert (212 - fahrenheit.start) * fahrenheit.factor == pytest.approx(100)
