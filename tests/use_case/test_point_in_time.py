"""A thousand flights of the year: every model input equals one recomputed from the raw files at its prediction."""

import math
from collections.abc import Iterator, Sequence
from datetime import date

import pandas as pd
import pytest
from databricks.feature_engineering import FeatureEngineeringClient
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from project.config import Config
from project.rows import labelled_rows, request_rows
from tests.deployments import Deployment
from tests.use_case.moments import END_OF_YEAR
from tests.use_case.raw_features import DAY, HOUR, LATE, NEW_YORK, Features, Raw, features_of
from training.lookups import feature_lookups
from training.train import make_training_set

SAMPLE, PER_CASE, SEED = 1000, 25, 2013
SPRING, AUTUMN = pd.Timestamp("2013-03-10T07:00Z"), pd.Timestamp("2013-11-03T06:00Z")


def hard_cases(raw: Raw) -> dict[str, pd.Series]:
    """Which flights of the year are which hard case."""
    flights = raw.flights
    at, day = flights["prediction_at"], pd.to_datetime(flights[["year", "month", "day"]]).dt.date
    local_hour = flights["sched_dep_at"].dt.tz_convert(NEW_YORK).dt.hour
    tailnum = flights["tailnum"]
    weather_age = at - last_before(flights, pd.concat(raw.weather.values()), "observed_at")
    cancelled = flights.loc[flights["cancelled"], ["origin", "sched_dep_at"]]
    cancellation_age = at - last_before(flights, cancelled, "sched_dep_at")
    leg = flights.sort_values("sched_dep_at").groupby("tailnum")[["departed_at", "arrived_at", "diverted"]].shift()
    leg = leg.reindex(flights.index)
    recent_leg = leg["departed_at"].between(at - 18 * HOUR, at)
    year_unknown = raw.planes.index[raw.planes["year"].isna()]
    arrivals = flights[["origin", "dest", "arrived_at"]].dropna().rename(columns={"arrived_at": "moment"})
    route_age = at - last_before(flights, arrivals, "moment", by=["origin", "dest"])

    def crosses(change: pd.Timestamp) -> pd.Series:
        return (flights["sched_dep_at"] < change) & (flights["sched_arr_at"] > change)

    def first_arrival(by: list[str]) -> pd.Series:
        return flights.groupby(by)["arrived_at"].transform("min")

    return {
        "the day before the clocks go forward": day == date(2013, 3, 9),
        "under way while they go forward": crosses(SPRING),
        "the day they go forward": day == date(2013, 3, 10),
        "the day before the clocks go back": day == date(2013, 11, 2),
        "under way while they go back": crosses(AUTUMN),
        "the day they go back": day == date(2013, 11, 3),
        "departs in the small hours": local_hour < 5,
        "arrives past midnight": flights["sched_arr_time"] < flights["sched_dep_time"],
        "predicted at midnight UTC": at == at.dt.floor("D"),
        "predicted in 2014": at.dt.year == 2014,
        "1 January": day == date(2013, 1, 1),
        "2 January": day == date(2013, 1, 2),
        "no weather for six hours": weather_age.isna() | (weather_age > 6 * HOUR),
        "weather an hour late": weather_age.between(HOUR, 6 * HOUR, inclusive="right"),
        "no tail number": tailnum.isna(),
        "aircraft not in planes.csv": tailnum.notna() & ~tailnum.isin(raw.planes.index),
        "aircraft of unknown year": tailnum.isin(year_unknown),
        "aircraft's first leg": flights["sched_dep_at"] == flights.groupby("tailnum")["sched_dep_at"].transform("min"),
        "carrier without history": ~(first_arrival(["carrier"]) <= at.dt.floor("D")),
        "route without history": ~(first_arrival(["origin", "dest"]) <= at.dt.floor("D")),
        "route unheard of for a month": route_age > 29 * DAY,
        "cancelled": flights["cancelled"],
        "after a cancellation": cancellation_age <= 3 * HOUR,
        "diverted": flights["diverted"],
        "aircraft's last leg was diverted": recent_leg & leg["diverted"].eq(True),
        "aircraft's last leg is under way": recent_leg & (leg["arrived_at"] > at),
        "aircraft arrives just then": leg["arrived_at"] == at,
    }


def last_before(flights: pd.DataFrame, events: pd.DataFrame, moment: str, by: Sequence[str] = ("origin",)) -> pd.Series:
    """The last event of each flight's airport, or of what `by` names, by its prediction."""
    asked = flights[[*by, "prediction_at"]].sort_values("prediction_at").reset_index()
    events = events[[*by, moment]].sort_values(moment)
    found = pd.merge_asof(asked, events, left_on="prediction_at", right_on=moment, by=list(by))
    return found.set_index("index")[moment].reindex(flights.index)


@pytest.fixture(scope="module")
def cases(raw: Raw) -> dict[str, pd.Series]:
    return hard_cases(raw)


@pytest.fixture(scope="module")
def sample(raw: Raw, cases: dict[str, pd.Series]) -> pd.DataFrame:
    """Some flights of each hard case, and any others."""
    chosen = {
        index
        for case in cases.values()
        for index in case[case].sample(min(PER_CASE, case.sum()), random_state=SEED).index
    }
    others = raw.flights.drop(index=list(chosen)).sample(SAMPLE - len(chosen), random_state=SEED)
    return raw.flights.loc[sorted(chosen | set(others.index))]


@pytest.fixture(scope="module")
def recomputed(raw: Raw, sample: pd.DataFrame) -> dict[str, Features]:
    """The model inputs of each sampled flight from the raw files, by flight."""
    return {flight["flight_id"]: features_of(flight, raw) for _, flight in sample.iterrows()}


@pytest.fixture(scope="module")
def looked_up(spark: SparkSession, year: Deployment, config: Config, sample: pd.DataFrame) -> dict[str, Features]:
    """The training set's rows of the same flights, and their label, by flight; without a label where there is none."""
    ids = F.broadcast(spark.createDataFrame([(name,) for name in sample["flight_id"]], "flight_id string"))
    flights = spark.table(year.tables.named(config.subject.table)).join(ids, "flight_id", "left_semi")
    end = END_OF_YEAR + DAY
    labelled = labelled_rows(flights, spark.table(year.tables.labels), config.history_start, end, END_OF_YEAR, config)
    others = request_rows(flights.join(labelled, "flight_id", "left_anti"), config)
    training_set = FeatureEngineeringClient().create_training_set(
        df=labelled.unionByName(others.withColumn(config.label.column, F.lit(None).cast("double"))),
        feature_lookups=feature_lookups(year.spark, year.tables, END_OF_YEAR, config),
        label=config.label.column,
        exclude_columns=[name for name in config.filed_columns if name not in config.subject.key],
    )
    # Through Arrow: pandas would make one of NULL and NaN.
    return {row.pop("flight_id"): row for row in training_set.load_df().toArrow().to_pylist()}


def differences(found: dict[str, Features], expected: dict[str, Features], names: list[str]) -> Iterator[tuple]:
    for flight_id, features in expected.items():
        for name in names:
            is_value, should_be = found[flight_id][name], features[name]
            if isinstance(is_value, float) and isinstance(should_be, float):
                same = math.isclose(is_value, should_be, rel_tol=1e-9)
            else:
                same = is_value == should_be
            if not same:
                yield name, flight_id, is_value, should_be


def test_the_sample_has_every_hard_case(sample: pd.DataFrame, cases: dict[str, pd.Series]) -> None:
    found = {name: int(case.loc[sample.index].sum()) for name, case in cases.items()}
    assert len(sample) == SAMPLE
    assert sample["flight_id"].is_unique
    # One flight of the year leaves before five in the morning.
    assert [name for name, flights in found.items() if flights < 5 and name != "departs in the small hours"] == []
    assert found["departs in the small hours"] == 1


def test_what_nobody_knew_is_unknown(
    sample: pd.DataFrame, cases: dict[str, pd.Series], looked_up: dict[str, Features]
) -> None:
    def values(case: str, feature: str) -> set:
        return {looked_up[flight_id][feature] for flight_id in sample.loc[cases[case].loc[sample.index], "flight_id"]}

    assert values("no weather for six hours", "temp") == {None}
    assert values("no tail number", "aircraft_seats") == {None}
    assert values("no tail number", "last_leg_dep_delay") == {None}
    assert values("aircraft not in planes.csv", "aircraft_engines") == {None}
    assert values("aircraft of unknown year", "aircraft_age_years") == {None}
    assert values("aircraft's first leg", "last_leg_dep_delay") == {None}
    assert values("carrier without history", "carrier_flights_28d") == {None}
    assert values("route without history", "route_flights_28d") == {None}
    assert values("route unheard of for a month", "route_flights_28d") == {None}
    assert values("aircraft's last leg is under way", "last_leg_arr_delay") == {None}
    assert values("aircraft's last leg was diverted", "last_leg_arr_delay") == {None}


def test_every_model_input_is_recomputed(
    spark: SparkSession, year: Deployment, config: Config, recomputed: dict[str, Features]
) -> None:
    training_set = make_training_set(spark, year.tables, END_OF_YEAR, config)
    inputs = set(training_set.load_df().columns) - set(training_set.labels)
    assert {frozenset(features) for features in recomputed.values()} == {frozenset(inputs)}


def test_model_inputs_are_as_recomputed_from_the_raw_files(
    looked_up: dict[str, Features], recomputed: dict[str, Features]
) -> None:
    assert looked_up.keys() == recomputed.keys()
    names = list(next(iter(recomputed.values())))
    assert list(differences(looked_up, recomputed, names)) == []


def test_labels_are_as_recomputed_from_the_raw_files(looked_up: dict[str, Features], sample: pd.DataFrame) -> None:
    late = (sample["arr_delay"] >= LATE).astype(float).astype(object)
    known = late.where(sample["arrived_at"] <= END_OF_YEAR, None)
    expected = dict(zip(sample["flight_id"], known, strict=True))
    assert {flight_id: row["late"] for flight_id, row in looked_up.items()} == expected
    assert set(expected.values()) == {0.0, 1.0, None}


def test_the_recomputed_moments_agree_with_the_files_own_hours_in_utc(raw: Raw) -> None:
    hours = pd.to_datetime(raw.flights["time_hour"], utc=True)
    assert (raw.flights["sched_dep_at"].dt.floor("h") == hours).all()
    assert (raw.flights["sched_arr_at"] - raw.flights["sched_dep_at"]).between(0 * HOUR, DAY).all()
