"""What a team changes in a deployment that lives: a feature, a table, a formula, a source, reference data."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pytest
from deployments import FIRST_WEEK, Deployment, deploy
from living import bring, changed, registry
from pandas.testing import assert_frame_equal
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from feature_engineering import fill
from feature_engineering.congestion import congestion_features
from feature_engineering.contracts import WEATHER as CONTRACT
from feature_engineering.contracts import column, contract_of
from feature_engineering.definitions import FeatureTable, Reading, Source
from feature_engineering.feed import sample_folder
from feature_engineering.fill import RedefinedError
from feature_engineering.landing import landing_folder
from feature_engineering.registry import FEATURE_TABLES, WEATHER
from feature_engineering.sources import SOURCES
from local_workspace.workspace import Workspace
from project.config import Config
from project.delta import ChangedTypeError
from project.steps import StepError
from project.tables import plain
from training.lookups import feature_lookups

pytestmark = pytest.mark.homes(
    "local", reason="JVM Spark has one test of each kind of change: these are their variants"
)
ON_BOTH = pytest.mark.homes("local", "connect", reason="the jobs of a bundle, beside the local workspace's API")

FIRST, SECOND, THIRD = FIRST_WEEK[2], FIRST_WEEK[3], FIRST_WEEK[4]
CONGESTION = "congestion_features"
HOUR = timedelta(hours=1)


def with_share(flights: DataFrame, as_of: datetime) -> DataFrame:
    """One feature more."""
    share = F.col("waiting") / F.nullif(F.col("waiting") + F.col("departures_3h"), F.lit(0.0))
    return congestion_features(flights, as_of).withColumn("waiting_share", share)


def in_hours(flights: DataFrame, as_of: datetime) -> DataFrame:
    """Another formula: what was in minutes is in hours."""
    return congestion_features(flights, as_of).withColumn("waiting_minutes", F.col("waiting_minutes") / 60)


def only_busy(flights: DataFrame, as_of: datetime) -> DataFrame:
    """Fewer rows."""
    return congestion_features(flights, as_of).filter(F.col("departures_3h") > 0)


def as_text(flights: DataFrame, as_of: datetime) -> DataFrame:
    """Another type."""
    return congestion_features(flights, as_of).withColumn("waiting", F.col("waiting").cast("string"))


def without_load(flights: DataFrame, as_of: datetime) -> DataFrame:
    """One feature less."""
    return congestion_features(flights, as_of).drop("load_next_2h")


def said_otherwise(flights: DataFrame, as_of: datetime) -> DataFrame:
    """The same rows by other code."""
    return congestion_features(flights.filter(F.lit(True)), as_of)


@pytest.fixture
def deployment(spark: SparkSession, workspace: Workspace, config: Config, request: Any) -> Deployment:
    """A deployment of the test's own, with its tables as of the third day."""
    made = deploy(spark, workspace, request.node.originalname.removeprefix("test_"))
    bring(made, FIRST, config)
    return made


def moments_of(frame: pd.DataFrame) -> pd.Series:
    return frame["known_at"].dt.tz_localize("UTC") if frame["known_at"].dt.tz is None else frame["known_at"]


@ON_BOTH
def test_a_new_feature_is_there_for_the_whole_history(deployment: Deployment, config: Config, spark: Any) -> None:
    before = deployment.table(CONGESTION)
    with registry(changed(CONGESTION, compute=with_share)):
        bring(deployment, SECOND, config)
        after = deployment.table(CONGESTION)
        lookup = {one.table_name: one for one in feature_lookups(spark, deployment.tables, SECOND)}
        assert "waiting_share" in lookup[deployment.full_name(CONGESTION)].feature_names
        unchanged = deployment.versions()
        bring(deployment, SECOND, config)
        assert deployment.versions() == unchanged, "a second run does nothing"
    counted = after["waiting"] + after["departures_3h"]
    assert_frame_equal(
        after[["waiting_share"]], (after["waiting"] / counted.where(counted > 0)).to_frame("waiting_share")
    )
    assert after["waiting_share"].notna().sum() > 100
    old = after[moments_of(after) <= FIRST].drop(columns="waiting_share")
    known = before[moments_of(before) <= FIRST]
    assert_frame_equal(old.reset_index(drop=True), known.reset_index(drop=True), check_exact=True)
    assert f"{CONGESTION}__rebuilt" not in deployment.versions()


def test_what_a_filled_feature_says_of_a_moment_does_not_depend_on_when_it_was_filled(
    deployment: Deployment, spark: SparkSession, workspace: Workspace, config: Config
) -> None:
    """A deployment that had the feature from its first day has the same rows, to the last digit."""
    other = deploy(spark, workspace, "had_it_from_the_first_day")
    with registry(changed(CONGESTION, compute=with_share)):
        bring(deployment, THIRD, config, piece=timedelta(hours=30))
        bring(other, SECOND, config)
        early = other.table(CONGESTION)
        bring(other, THIRD, config)
    filled = deployment.table(CONGESTION)
    assert_frame_equal(filled, other.table(CONGESTION), check_exact=True)
    known = filled[moments_of(filled) <= SECOND - 3 * HOUR].reset_index(drop=True)
    assert len(known) > 500
    had = early[moments_of(early) <= SECOND - 3 * HOUR].reset_index(drop=True)
    assert_frame_equal(known, had, check_exact=True)


@ON_BOTH
def test_a_new_table_is_made_and_filled(deployment: Deployment, config: Config, spark: SparkSession) -> None:
    def calm(weather: DataFrame, as_of: datetime) -> DataFrame:
        return weather.filter(F.col("observed_at") <= F.lit(as_of)).select(
            "origin", F.col("observed_at").alias("known_at"), (F.col("wind_speed") < 5).cast("double").alias("is_calm")
        )

    calm_features = FeatureTable("calm_features", ("origin",), WEATHER, calm, reach=HOUR, lookback=6 * HOUR)
    with registry([*FEATURE_TABLES, calm_features]):
        bring(deployment, SECOND, config)
        lookups = {one.table_name: one for one in feature_lookups(spark, deployment.tables, SECOND)}
        bring(deployment, THIRD, config)
    lookup = lookups[deployment.full_name("calm_features")]
    assert (lookup.feature_names, lookup.lookback_window) == (["is_calm"], 6 * HOUR)
    made, weather = deployment.table("calm_features"), deployment.table("weather")
    assert len(made) == len(weather) > 300
    by_hour = weather.set_index(["origin", "observed_at"])["wind_speed"]
    expected = (by_hour < 5).astype(float).where(by_hour.notna())
    found = made.set_index(["origin", "known_at"])["is_calm"].rename_axis(["origin", "observed_at"])
    assert_frame_equal(found.sort_index().to_frame("calm"), expected.sort_index().to_frame("calm"))


@ON_BOTH
def test_a_feature_that_is_no_longer_computed_stays_for_the_versions_that_learned_from_it(
    deployment: Deployment, config: Config, spark: SparkSession
) -> None:
    before = deployment.table(CONGESTION)
    with registry(changed(CONGESTION, compute=without_load)):
        bring(deployment, SECOND, config)
        (lookup,) = (one for one in feature_lookups(spark, deployment.tables, SECOND) if CONGESTION in one.table_name)
    assert "load_next_2h" not in lookup.feature_names
    after = deployment.table(CONGESTION)
    is_old = moments_of(after) <= FIRST
    assert_frame_equal(after[is_old].reset_index(drop=True), before, check_like=True, check_exact=True)
    assert after.loc[~is_old, "load_next_2h"].isna().all()
    assert after.loc[~is_old, "waiting"].notna().all()


def test_a_retired_feature_is_computed_and_no_new_version_learns_from_it(
    deployment: Deployment, config: Config, spark: SparkSession
) -> None:
    with registry(changed(CONGESTION, retired=("load_next_2h",))):
        bring(deployment, SECOND, config)
        (lookup,) = (one for one in feature_lookups(spark, deployment.tables, SECOND) if CONGESTION in one.table_name)
    assert "load_next_2h" not in lookup.feature_names
    assert "waiting" in lookup.feature_names
    assert deployment.table(CONGESTION)["load_next_2h"].notna().all()


@ON_BOTH
def test_a_changed_type_is_refused_before_anything_is_written(deployment: Deployment, config: Config) -> None:
    before = deployment.versions()
    with (
        registry(changed(CONGESTION, compute=as_text)),
        pytest.raises(
            ChangedTypeError, match=r"congestion_features: .*'waiting' is double .*become string.*another name"
        ),
    ):
        bring(deployment, SECOND, config, rebuild=["all"], changed_formula="rebuild")
    assert deployment.versions() == before


@ON_BOTH
def test_a_changed_formula_is_refused_until_it_is_ordered(deployment: Deployment, config: Config) -> None:
    before = deployment.table(CONGESTION)
    with registry(changed(CONGESTION, compute=in_hours)):
        for as_of in (SECOND, THIRD):
            with pytest.raises(
                StepError, match=rf"[\d,]+ would get another waiting_minutes\..*rebuild={CONGESTION}"
            ) as refused:
                bring(deployment, as_of, config)
            assert isinstance(refused.value.__cause__, RedefinedError)
            assert_frame_equal(deployment.table(CONGESTION), before, check_exact=True)
        with pytest.raises(ValueError, match="there is no table 'congestion'"):
            bring(deployment, THIRD, config, rebuild=["congestion"])
        bring(deployment, THIRD, config, rebuild=[CONGESTION])
    after = deployment.table(CONGESTION)
    is_old = moments_of(after) <= FIRST
    assert_frame_equal(
        after.loc[is_old, ["waiting_minutes"]].reset_index(drop=True) * 60,
        before[["waiting_minutes"]],
        check_exact=False,
    )
    assert after["waiting_minutes"].max() < 4, "hours, in all rows"
    assert len(after) > len(before)


def test_a_formula_that_makes_fewer_rows_is_another_one(deployment: Deployment, config: Config) -> None:
    before = deployment.table(CONGESTION)
    refused = pytest.raises(StepError, match=rf"of {len(before):,} rows, [\d,]+ would go\.")
    with registry(changed(CONGESTION, compute=only_busy)), refused:
        bring(deployment, FIRST, config)
    assert_frame_equal(deployment.table(CONGESTION), before, check_exact=True)


def test_where_a_changed_formula_may_rebuild_it_does(deployment: Deployment, config: Config) -> None:
    with registry(changed(CONGESTION, compute=in_hours)):
        bring(deployment, SECOND, config, changed_formula="rebuild")
    assert deployment.table(CONGESTION)["waiting_minutes"].max() < 4


def test_the_same_rows_by_other_code_are_no_other_formula(deployment: Deployment, config: Config) -> None:
    before = deployment.table(CONGESTION)
    with registry(changed(CONGESTION, compute=said_otherwise)):
        bring(deployment, SECOND, config)
    after = deployment.table(CONGESTION)
    known = after[moments_of(after) <= FIRST].reset_index(drop=True)
    assert_frame_equal(known, before, check_exact=True)


class Killed(BaseException):
    """Ends a run where it is, as a kill does: nothing catches it."""


@ON_BOTH
def test_a_rebuild_that_was_killed_goes_on_and_readers_see_the_old_rows_until_then(
    deployment: Deployment, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, written = deployment.table(CONGESTION), []
    write = fill.upsert

    def killed_at_third(spark: SparkSession, table: str, rows: DataFrame, *more: Any, **named: Any) -> None:
        if plain(table).endswith("__rebuilt"):
            if len(written) == 2:
                raise Killed
            written.append(rows.agg(F.min("known_at")).first()[0])
        write(spark, table, rows, *more, **named)

    half_days = timedelta(hours=12)
    with registry(changed(CONGESTION, compute=in_hours)):
        monkeypatch.setattr(fill, "upsert", killed_at_third)
        with pytest.raises(StepError) as ended:
            bring(deployment, FIRST, config, rebuild=[CONGESTION], piece=half_days)
        assert isinstance(ended.value.__cause__, Killed)
        assert_frame_equal(deployment.table(CONGESTION), before, check_exact=True)

        done = list(written)

        def counted(spark: SparkSession, table: str, rows: DataFrame, *more: Any, **named: Any) -> None:
            if plain(table).endswith("__rebuilt"):
                written.append(rows.agg(F.min("known_at")).first()[0])
            write(spark, table, rows, *more, **named)

        monkeypatch.setattr(fill, "upsert", counted)
        bring(deployment, FIRST, config, rebuild=[CONGESTION], piece=half_days)
    assert len(set(written)) == len(written) > 4, "no piece twice"
    assert written[:2] == done
    after = deployment.table(CONGESTION)
    assert_frame_equal(after[["waiting_minutes"]] * 60, before[["waiting_minutes"]])
    assert_frame_equal(after.drop(columns="waiting_minutes"), before.drop(columns="waiting_minutes"), check_exact=True)


def test_all_tables_rebuilt_are_what_they_were(deployment: Deployment, config: Config) -> None:
    before = deployment.rows()
    bring(deployment, FIRST, config, rebuild=["all"], piece=timedelta(hours=30))
    after = deployment.rows()
    for name, rows in before.items():
        assert_frame_equal(after[name], rows, check_exact=True, obj=name)


@ON_BOTH
def test_a_new_source_is_read_beside_the_others(deployment: Deployment, config: Config) -> None:
    gates = contract_of("gates", ("origin",), {"origin": column("string"), "gates": column("int", nullable=True)})

    def bronze_gates(rows: DataFrame, _: Reading) -> DataFrame:
        return rows

    source = Source(gates, key=("origin",), rows=bronze_gates)
    with registry(sources=[*SOURCES, source]):
        with pytest.raises(StepError, match="nothing has landed for gates"):
            bring(deployment, SECOND, config)
        land(deployment, "gates", SECOND, pd.DataFrame({"origin": ["JFK", "EWR", "LGA"], "gates": ["128", "x", "72"]}))
        bring(deployment, SECOND, config)
        assert deployment.table("gates").to_numpy().tolist() == [["JFK", 128], ["LGA", 72]]
        quarantine = deployment.table("quarantine")
        assert quarantine.loc[quarantine["source"] == "gates", "reason"].tolist() == ["gates: not of its type"]
        land(deployment, "gates", THIRD, pd.DataFrame({"origin": ["EWR"], "gates": ["121"]}))
        bring(deployment, THIRD, config)
    assert deployment.table("gates").to_numpy().tolist() == [["EWR", 121], ["JFK", 128], ["LGA", 72]]


def test_a_new_column_of_a_source_is_null_in_what_had_landed(deployment: Deployment, config: Config) -> None:
    """And must be in what lands from then on."""
    kind, sky = column("string", nullable=True)
    contract = replace(CONTRACT, types=CONTRACT.types | {"sky": kind}, schema=CONTRACT.schema.add_columns({"sky": sky}))
    sources = [replace(one, contract=contract) if one.name == "weather" else one for one in SOURCES]
    before = deployment.rows()
    with registry(sources=sources):
        bring(deployment, FIRST, config)
        after = deployment.rows()
        assert after["weather"].pop("sky").isna().all()
        for name, rows in before.items():
            assert_frame_equal(after[name], rows, check_exact=True, obj=name)
        with pytest.raises(StepError, match="weather: column 'sky' is missing in what landed in"):
            bring(deployment, SECOND, config)


@ON_BOTH
def test_reference_data_that_change_count_from_then_on(deployment: Deployment, config: Config) -> None:
    planes = pd.read_csv(sample_folder() / "planes.csv", dtype=str)
    known = planes.iloc[0]
    altered = planes.assign(seats=planes["seats"].where(planes["tailnum"] != known["tailnum"], "900"))
    new = pd.DataFrame([known.to_dict() | {"tailnum": "N00NEW", "seats": "12"}])
    land(deployment, "planes", SECOND, pd.concat([altered, new]))
    bring(deployment, SECOND, config)
    bring(deployment, THIRD, config)

    def seats(tailnum: str) -> dict[datetime, float]:
        rows = deployment.table("aircraft_features").query("tailnum == @tailnum")
        return dict(zip(moments_of(rows).tolist(), rows["aircraft_seats"], strict=True))

    start = config.history_start
    expected = {known["tailnum"]: {start: float(known["seats"]), SECOND: 900.0}, "N00NEW": {SECOND: 12.0}}
    assert {tailnum: seats(tailnum) for tailnum in expected} == expected
    assert len(deployment.table("planes")) == len(planes) + 2, "a state that stays is no new one"
    before = deployment.table("aircraft_features"), deployment.table("planes")
    bring(deployment, THIRD, config, rebuild=["planes", "aircraft_features"])
    assert_frame_equal(deployment.table("aircraft_features"), before[0], check_exact=True)
    assert_frame_equal(deployment.table("planes"), before[1], check_exact=True)


def land(deployment: Deployment, source: str, as_of: datetime, rows: pd.DataFrame) -> None:
    """A file that a source sends."""
    folder = landing_folder(deployment.volume) / source / f"as_of={as_of.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    folder.mkdir(parents=True)
    pa.csv.write_csv(pa.Table.from_pandas(rows, preserve_index=False), folder / "rows.csv")
