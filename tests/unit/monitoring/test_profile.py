"""The metric tables of a week, and the check that reads them."""

import json
from datetime import timedelta

import pytest
from pyspark.sql import functions as F

from monitoring.profile import refresh_profile
from monitoring.violations import check_violations
from project.metrics import binary_metrics
from tests.unit.monitoring.conftest import AS_OF, MODEL, OLDER, WATCHED
from tests.unit.tables import changed_rows


@pytest.fixture(scope="module")
def watched(log):
    return log[log["model_version"] == WATCHED]


@pytest.fixture(scope="module")
def whole(spark, week, verdict):
    """The profile metrics of the watched version in the judged window."""
    metrics = spark.table(week.profile_metrics)
    return metrics.filter((F.col("granularity") == "7 days") & (F.col("model_version") == WATCHED)).toPandas()


def test_statistics_of_a_column(whole, watched):
    temp = whole.set_index("column_name").loc["temp"]
    values = watched["temp"]
    assert (temp["count"], temp["num_nulls"]) == (values.notna().sum(), values.isna().sum())
    assert (temp["min"], temp["max"]) == (values.min(), values.max())
    assert temp["avg"] == pytest.approx(values.mean())
    assert temp["stddev"] == pytest.approx(values.std())
    assert list(temp["quantiles"]) == pytest.approx([values.quantile(i / 10) for i in range(11)])
    assert whole.set_index("column_name").loc["origin", "distinct_count"] == 2


def test_quality_of_the_window_and_its_slices(whole, watched):
    quality = whole[whole["column_name"] == ":table"]
    everything = quality[quality["slice_key"].isna()].iloc[0]
    known = watched[watched["late"].notna()]
    expected = binary_metrics(known["late"], known["prediction"])
    assert [everything[name] for name in ("count", "arrived", "cancelled", "pending")] == [1400, 1390, 10, 0]
    assert everything["label_share"] == 1.0
    for name in ("roc_auc", "log_loss_skill", "brier", "label_rate"):
        assert everything[name] == pytest.approx(expected[name]), name
    by_origin = quality[quality["slice_key"] == "origin"].set_index("slice_value")["count"]
    assert by_origin.to_dict() == watched["origin"].value_counts().to_dict()


def test_days_and_baseline_are_measured_too(spark, week, verdict, watched):
    quality = spark.table(week.profile_metrics).filter("column_name = ':table' AND slice_key IS NULL")
    own = quality.filter(F.col("model_version") == WATCHED).toPandas()
    days = own[own["granularity"] == "1 day"].set_index("window").sort_index(key=lambda w: w.map(str))
    assert list(days["count"]) == list(watched.groupby(watched["prediction_at"].dt.day).size())
    assert own[own["log_type"] == "BASELINE"]["labelled_rows"].tolist() == [3000]


def test_the_newest_version_is_judged_by_the_tables(spark, week, verdict, whole):
    assert (verdict.model_version, verdict.rows, verdict.label_share) == (WATCHED, 1400, 1.0)
    found = {check.metric: check.value for check in verdict.checks}
    quality = whole[(whole["column_name"] == ":table") & whole["slice_key"].isna()].iloc[0]
    assert found["roc_auc"] == quality["roc_auc"]
    drift = spark.table(week.drift_metrics).toPandas()
    assert OLDER not in set(drift["model_version"])
    index = drift[drift["granularity"] == "7 days"].set_index("column_name")["population_stability_index"]
    assert found["prediction_psi"] == index["prediction"]
    assert found["max_psi"] == index.drop("prediction").max()
    row = spark.table(week.monitoring_verdicts).first()
    assert (row["model_version"], row["violated"], row["rows"]) == (WATCHED, verdict.violated, 1400)
    assert [check["metric"] for check in json.loads(row["checks"])] == list(found)


def test_a_second_run_changes_no_row(spark, week, verdict, config):
    refresh_profile(spark, week, MODEL, AS_OF, config)
    check_violations(spark, week, MODEL, AS_OF, config)
    for table in (week.profile_metrics, week.drift_metrics, week.monitoring_verdicts):
        assert changed_rows(spark, table) == 0


def test_a_window_without_predictions(spark, week, verdict, config):
    later = check_violations(spark, week, MODEL, AS_OF + timedelta(days=30), config)
    assert (later.status, later.violated, later.model_version) == ("no predictions", False, "")
