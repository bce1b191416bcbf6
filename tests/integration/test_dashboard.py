"""Every query of the dashboard and of the alerts, on the tables that the whole run wrote."""

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from local_workspace.bundle import Bundle, load_bundle
from local_workspace.workspace import REPOSITORY
from monitoring.dashboard import dashboard_file
from project.config import config_file, load_config
from project.tables import Tables
from tests.whole_run import SCHEMA, SETTINGS, Run

CONFIG = load_config()
COLUMNS_OF_GRID = 6
WEEK = timedelta(days=7)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """The bundle as the whole run had it; tests/bundle holds this resolution against the CLI's."""
    return load_bundle(REPOSITORY, environ={**os.environ, **SETTINGS})


@pytest.fixture(scope="module")
def schema(first: Run, bundle: Bundle) -> Iterator[str]:
    """The schema that the dashboard's queries are about, as the session's current one."""
    own = bundle.resource("dashboards", "dashboard")
    assert own["dataset_schema"] == SCHEMA
    with first.current_schema():
        yield Tables(own["dataset_catalog"], own["dataset_schema"]).full_schema


@pytest.fixture(scope="module")
def dashboard() -> dict[str, Any]:
    """The dashboard as it is deployed."""
    content: dict[str, Any] = json.loads(dashboard_file(config_file()).read_text())
    return content


@pytest.fixture(scope="module")
def results(spark: SparkSession, schema: str, dashboard: dict[str, Any]) -> dict[str, DataFrame]:
    """What each of its queries finds."""
    return {one["name"]: spark.sql("".join(one["queryLines"])) for one in dashboard["datasets"]}


def widgets(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    return [item for page in dashboard["pages"] for item in page["layout"]]


def fields(encoding: Any) -> set[str]:
    """All field names under an encoding."""
    if isinstance(encoding, list):
        return set().union(*map(fields, encoding))
    if not isinstance(encoding, dict):
        return set()
    own = {encoding["fieldName"]} if "fieldName" in encoding else set()
    return own.union(*map(fields, encoding.values()))


def test_every_query_finds_something(results: dict[str, DataFrame]) -> None:
    assert len(results) >= 7
    assert [name for name, found in results.items() if found.isEmpty()] == []


def test_every_widget_shows_columns_of_its_query(dashboard: dict[str, Any], results: dict[str, DataFrame]) -> None:
    shown = set()
    for item in widgets(dashboard):
        widget = item["widget"]
        (query,) = (query["query"] for query in widget["queries"])
        columns = {field["name"] for field in query["fields"]}
        assert [field["expression"] for field in query["fields"]] == [f"`{field['name']}`" for field in query["fields"]]
        assert columns <= set(results[query["datasetName"]].columns), widget["name"]
        assert fields(widget["spec"]["encodings"]) == columns, widget["name"]
        shown.add(query["datasetName"])
    assert shown == set(results)


def test_no_widget_lies_on_another(dashboard: dict[str, Any]) -> None:
    cells = [
        (place["x"] + x, place["y"] + y)
        for place in (item["position"] for item in widgets(dashboard))
        for x in range(place["width"])
        for y in range(place["height"])
    ]
    assert len(cells) == len(set(cells)) > 0
    assert max(x for x, _ in cells) < COLUMNS_OF_GRID


def test_predictions_are_counted_by_day(spark: SparkSession, results: dict[str, DataFrame]) -> None:
    predictions = spark.table("predictions").toPandas()
    days = predictions.groupby(predictions[CONFIG.subject.prediction_time].dt.floor("D"))["prediction"]
    found = results["predictions_by_day"].toPandas().set_index("day")
    assert found["predictions"].to_dict() == days.size().to_dict()
    assert found["mean_prediction"].to_dict() == pytest.approx(days.mean().to_dict())


def test_quality_is_that_of_the_rows_whose_label_is_known(spark: SparkSession, results: dict[str, DataFrame]) -> None:
    label = CONFIG.label.column
    log = spark.table("inference_log").filter(F.col(label).isNotNull()).toPandas()
    days = log.groupby(log[CONFIG.subject.prediction_time].dt.floor("D"))
    found = results["quality_by_day"].toPandas().set_index("day")
    assert found["labelled_rows"].to_dict() == pytest.approx(days.size().to_dict())
    assert found["mean_label"].to_dict() == pytest.approx(days[label].mean().to_dict())
    assert found["mean_prediction"].to_dict() == pytest.approx(days["prediction"].mean().to_dict())


def test_columns_come_by_how_far_they_are_from_what_is_usual(
    spark: SparkSession, results: dict[str, DataFrame]
) -> None:
    found = [row["ratio"] for row in results["worst_drift"].collect()]
    newest = spark.table("column_drift").toPandas()
    assert found == sorted(newest["ratio"], reverse=True)[: len(found)]


def test_slices_of_the_last_days_add_up(results: dict[str, DataFrame]) -> None:
    found = results["slices"].toPandas().groupby("slice_key")["labelled_rows"].sum()
    assert set(found.index) == set(CONFIG.slices)
    assert found.nunique() == 1


@pytest.fixture(scope="module")
def alerts(bundle: Bundle) -> dict[str, dict[str, Any]]:
    return {alert["evaluation"]["source"]["name"]: alert for alert in bundle.resources["alerts"].values()}


def is_triggered(spark: SparkSession, alert: dict[str, Any], query: str, **frames: DataFrame) -> bool:
    """What the workspace would make of the first row, or of none; {names} in the query are frames."""
    evaluation = alert["evaluation"]
    row = spark.sql(query, **frames).first()
    if row is None:
        return bool(evaluation["empty_result_state"] == "TRIGGERED")
    value, bound = row[evaluation["source"]["name"]], evaluation["threshold"]["value"]["double_value"]
    return bool({"EQUAL": value == bound, "LESS_THAN": value < bound}[evaluation["comparison_operator"]])


def test_the_violation_alert_follows_the_newest_verdict(
    spark: SparkSession, schema: str, alerts: dict[str, dict[str, Any]]
) -> None:
    alert = alerts["violated"]
    verdicts = spark.table("monitoring_verdicts").filter("check_name = ':all'")
    (newest,) = verdicts.orderBy(F.desc("as_of")).limit(1).collect()
    text = alert["query_text"].replace("current_timestamp()", "TIMESTAMP '2024-04-10 12:00:00'")
    assert is_triggered(spark, alert, text) is newest["violated"]
    for violated in (True, False):
        later = verdicts.limit(1).withColumns({"violated": F.lit(violated), "as_of": F.expr("as_of + INTERVAL 1 DAY")})
        query = text.replace(f"{schema}.monitoring_verdicts", "{verdicts}")
        assert is_triggered(spark, alert, query, verdicts=verdicts.unionByName(later)) is violated
    assert not is_triggered(spark, alert, text.replace("WHERE", "WHERE false AND"))


def test_the_violation_alert_tells_of_a_verdict_that_is_two_days_old(
    spark: SparkSession, alerts: dict[str, dict[str, Any]]
) -> None:
    alert = alerts["violated"]
    for now, triggered in (("2024-04-11 00:00:00", False), ("2024-04-11 00:00:01", True)):
        query = alert["query_text"].replace("current_timestamp()", f"TIMESTAMP '{now}'")
        query = query.replace("violated OR", "false OR")
        assert is_triggered(spark, alert, query) is triggered, now


def test_the_alert_of_missing_predictions_looks_a_little_further_back_than_a_run_scores(
    spark: SparkSession, alerts: dict[str, dict[str, Any]]
) -> None:
    alert = alerts["predictions"]
    assert is_triggered(spark, alert, alert["query_text"])  # nothing is scored any more
    for now, triggered in (("2024-04-10 01:59:59", False), ("2024-04-10 02:00:00", True)):
        query = alert["query_text"].replace("current_timestamp()", f"TIMESTAMP '{now}'")
        assert is_triggered(spark, alert, query) is triggered, now
