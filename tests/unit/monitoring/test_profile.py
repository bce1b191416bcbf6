"""The metric tables that the monitor of a week gives, and the check that reads them."""

from datetime import datetime
from functools import reduce
from operator import and_

import mlflow
import numpy as np
import pytest
from mlflow import MlflowClient
from pyspark.sql import functions as F
from sklearn.metrics import accuracy_score, brier_score_loss, confusion_matrix, log_loss, roc_auc_score

from monitoring.baseline import refresh_baseline
from monitoring.ground_truth import make_log, with_derived
from monitoring.monitor import refresh_monitor
from monitoring.violations import check_violations
from tests.unit.monitoring.conftest import AS_OF, LABEL, MODEL, OLDER, SUBJECT, WATCHED
from tests.unit.tables import collected, moment, version_of

FIRST = moment("2024-08-01 00:00")


@pytest.fixture(scope="module")
def first_day(log):
    """The watched version's rows of 1 August."""
    return log[(log["model_version"] == WATCHED) & (log[SUBJECT.prediction_time].dt.day == 1)]


@pytest.fixture(scope="module")
def profile(spark, week, verdict):
    """The profile metrics of the watched version: on 1 August, and of its baseline."""
    own = spark.table(week.profile_metrics).filter(F.col("model_version") == WATCHED)
    rows = collected(own.filter((F.col("log_type") == "BASELINE") | (F.col("window.start") == F.lit(FIRST))))
    return {(r["log_type"], r["column_name"], r["slice_key"], r["slice_value"]): r for r in rows}


def test_statistics_of_a_column(profile, first_day):
    weight = profile["INPUT", "weight", None, None]
    values = first_day["weight"]
    assert (weight["count"], weight["num_nulls"]) == (values.notna().sum(), values.isna().sum())
    assert weight["percent_null"] == pytest.approx(100 * values.isna().mean())
    assert (weight["min"], weight["max"], weight["median"]) == pytest.approx(
        (values.min(), values.max(), values.median())
    )
    assert weight["avg"] == pytest.approx(values.mean())
    assert weight["stddev"] == pytest.approx(values.std())
    assert weight["quantiles"] == pytest.approx([values.quantile(i / 10) for i in range(11)])
    shop = profile["INPUT", "shop", None, None]
    assert {i["item"]: i["count"] for i in shop["frequent_items"]} == first_day["shop"].value_counts().to_dict()


@pytest.mark.parametrize(("key", "value"), [(None, None), ("region", "north"), ("shop", "A")])
def test_quality_of_a_day_and_its_slices(profile, first_day, key, value):
    rows = first_day if key is None else first_day[first_day[key] == value]
    known = rows[rows[LABEL.column].notna()]
    label, prediction = known[LABEL.column], known["prediction"]
    found = profile["INPUT", ":table", key, value]
    assert (found["count"], found["labelled_rows"]) == (len(rows), len(known))
    assert found["label_share"] == 1.0
    assert found[LABEL.outcome] == (rows["outcome"] == LABEL.outcome).sum()
    assert found[LABEL.other_outcomes[0]] == (rows["outcome"] == LABEL.other_outcomes[0]).sum()
    assert found["mean_label"] == pytest.approx(label.mean())
    assert found["mean_prediction"] == pytest.approx(prediction.mean())
    assert found["brier"] == pytest.approx(brier_score_loss(label, prediction))
    assert found["log_loss"] == pytest.approx(log_loss(label, prediction))
    base = log_loss(label, [label.mean()] * len(label))
    assert found["log_loss_skill"] == pytest.approx(1 - log_loss(label, prediction) / base)
    assert found["roc_auc"] == pytest.approx(roc_auc_score(label, prediction))
    asked = known[SUBJECT.prediction_time].rank()
    assert found["expected_roc_auc"] == pytest.approx(pairs_in_order(prediction, prediction))
    excess = roc_auc_score(label, asked) - pairs_in_order(asked, prediction)
    assert found["time_excess"] == pytest.approx(excess)
    assert found["accuracy_score"] == pytest.approx(accuracy_score(label, prediction >= 0.5))
    matrix = confusion_matrix(label, prediction >= 0.5)
    for cell in found["confusion_matrix"]:
        assert cell["count"] == matrix[int(float(cell["label"])), int(float(cell["prediction"]))]
    assert sum(cell["count"] for cell in found["confusion_matrix"]) == matrix.sum()
    assert found["newest_prediction"] == int(rows[SUBJECT.prediction_time].max().timestamp())


def pairs_in_order(order, probability):
    """The share of pairs that are in order, each weighed by how probable it is: pair by pair."""
    order, probability = order.to_numpy(), probability.to_numpy()
    likely = np.outer(probability, 1 - probability)
    np.fill_diagonal(likely, 0)
    right = np.greater.outer(order, order) + np.equal.outer(order, order) / 2
    return (likely * right).sum() / likely.sum()


def test_the_baseline_is_what_the_version_was_validated_on(spark, week, profile):
    scores = spark.table(week.validation_scores).toPandas()
    found = profile["BASELINE", ":table", None, None]
    assert (found["count"], found["window"]) == (9000, None)
    assert found["roc_auc"] == pytest.approx(roc_auc_score(scores[LABEL.column], scores["prediction"]))


def test_drift_is_that_of_versions_with_a_baseline(spark, week, verdict):
    drift = spark.table(week.drift_metrics).filter(F.col("window.start") == F.lit(FIRST)).toPandas()
    assert OLDER not in set(drift["model_version"])
    by_column = drift.set_index("column_name")
    assert {"weight", "distance", "region", "shop", "prediction"} <= set(by_column.index)
    assert by_column.loc["weight", "ks_test"]["pvalue"] > 0.001
    assert by_column.loc["shop", "chi_squared_test"]["pvalue"] > 0.001


def test_the_newest_version_is_judged_by_the_tables(verdict, profile, config):
    assert (verdict.model_version, verdict.rows, verdict.label_share) == (WATCHED, 1400, 1.0)
    found = {finding.check.name: finding for finding in verdict.findings}
    assert set(found) == {check.name for check in config.monitoring.checks}
    ranking = found["ranking"]
    assert (ranking.days_judged, ranking.days_broken, ranking.status) == (7, 0, "passed")
    assert found["freshness"].value == pytest.approx(24, abs=0.5)
    assert found["labels"].value == 1.0


def test_a_verdict_is_a_row_for_all_and_one_a_finding(spark, week, verdict):
    rows = collected(spark.table(week.monitoring_verdicts).filter(F.col("as_of") == F.lit(AS_OF)))
    assert len(rows) == 1 + len(verdict.findings)
    (whole,) = (row for row in rows if row["check_name"] == ":all")
    assert (whole["status"], whole["violated"], whole["action"]) == (verdict.status, verdict.violated, verdict.action)
    assert whole["sentence"] == verdict.sentence
    assert (whole["rows"], whole["window_start"]) == (1400, FIRST)


def test_a_second_run_changes_nothing(spark, client, week, verdict, config):
    names = (week.inference_baseline, week.profile_metrics, week.drift_metrics)
    before = [version_of(spark, name) for name in names], rows_of(spark, week)
    refresh_baseline(spark, week, MODEL, AS_OF, config)
    refresh_monitor(client, week, config)
    check_violations(spark, week, MODEL, AS_OF, True, config)
    assert ([version_of(spark, name) for name in names], rows_of(spark, week)) == before


def rows_of(spark, week):
    return sorted(map(str, collected(spark.table(week.monitoring_verdicts))))


def test_a_log_that_is_still_empty_has_metric_tables_and_what_comes_is_measured(home, spark, client, log, config):
    with home.schema(spark, "still_empty") as tables:
        rows = with_derived(spark.createDataFrame(log[log["model_version"] == WATCHED].head(20)), config)
        make_log(tables.inference_log, rows)
        make_log(tables.inference_baseline, rows)
        refresh_monitor(client, tables, config)
        assert [spark.table(name).count() for name in (tables.profile_metrics, tables.drift_metrics)] == [0, 0]
        rows.writeTo(tables.inference_log).append()
        refresh_monitor(client, tables, config)
        assert spark.table(tables.profile_metrics).filter("column_name = ':table'").count() > 0


def test_a_log_that_was_dropped_and_made_anew_is_measured_anew(home, spark, client, log, config):
    """Also where it has as many versions as the one of its name before it."""
    for number in (20, 30):
        with home.schema(spark, "made_anew") as tables:
            rows = with_derived(spark.createDataFrame(log[log["model_version"] == WATCHED].head(number)), config)
            for name in (tables.inference_log, tables.inference_baseline):
                make_log(name, rows)
                rows.writeTo(name).append()
            refresh_monitor(client, tables, config)
            whole = spark.table(tables.profile_metrics).filter("column_name = ':table' AND slice_key IS NULL")
            counts = {row["log_type"]: 0 for row in collected(whole)}
            for row in collected(whole):
                counts[row["log_type"]] += row["count"]
            assert counts == {"INPUT": number, "BASELINE": number}


def test_only_the_days_that_changed_are_measured_again(spark, client, week, verdict, config):
    """And a model that the world has left: the last day's labels, turned round."""
    day = F.col(SUBJECT.prediction_time) >= F.lit(moment("2024-08-07 00:00"))
    before = {name: collected(spark.table(name)) for name in (week.profile_metrics, week.drift_metrics)}
    changed = spark.table(week.inference_log).filter(day & F.col(LABEL.column).isNotNull())
    keys = (*SUBJECT.key, "model_version", "as_of")
    merge = changed.withColumn(LABEL.column, 1 - F.col(LABEL.column)).alias("new")
    same = [F.col(f"new.{key}") == F.col(f"{week.inference_log}.{key}") for key in keys]
    merge.mergeInto(week.inference_log, reduce(and_, same)).whenMatched().updateAll().merge()
    refresh_monitor(client, week, config)
    for name, rows in before.items():
        after = collected(spark.table(name))
        assert len(after) == len(rows)
        kept = [str(row) for row in after if str(row) in set(map(str, rows))]
        different = [row for row in after if str(row) not in set(kept)]
        if name == week.profile_metrics:
            assert {row["window"]["start"].day for row in different} == {7}
            assert {row["column_name"] for row in different} == {":table", LABEL.column}
        else:
            assert different == []
    later = check_violations(spark, week, MODEL, AS_OF.replace(hour=1), True, config)
    found = {finding.check.name: finding for finding in later.findings}
    assert (found["ranking"].days_broken, found["ranking"].since) == (1, moment("2024-08-07 00:00"))
    assert not found["ranking"].violated


def test_days_without_predictions_are_noticed(spark, week, verdict, config):
    later = check_violations(spark, week, MODEL, moment("2024-08-12 00:00"), True, config)
    found = {finding.check.name: finding for finding in later.findings}
    assert found["no_predictions"].violated
    assert (found["no_predictions"].value, found["no_predictions"].since) == (0, moment("2024-08-08 00:00"))
    assert found["freshness"].violated
    assert later.action == "alert"
    much_later = check_violations(spark, week, MODEL, moment("2024-09-12 00:00"), True, config)
    assert (much_later.model_version, much_later.status) == (WATCHED, "violated")


@pytest.fixture(scope="module")
def versions(tmp_path_factory):
    """A registry with ten versions, all of 1 August."""
    uri = f"sqlite:///{tmp_path_factory.mktemp('versions') / 'mlflow.db'}"
    client = MlflowClient(registry_uri=uri)
    client.create_registered_model(MODEL)
    for _ in range(int(WATCHED)):
        client.create_model_version(MODEL, "made/nowhere", tags={"as_of": "2024-08-01T00:00:00+00:00"})
    return uri


@pytest.fixture
def trained(versions):
    """Where they are known: gives what tags the watched one otherwise."""
    before = mlflow.get_registry_uri()
    mlflow.set_registry_uri(versions)
    yield lambda as_of: MlflowClient().set_model_version_tag(MODEL, WATCHED, "as_of", as_of)
    mlflow.set_registry_uri(before)


@pytest.mark.parametrize(
    ("as_of", "violated"),
    [
        ("2024-08-01T00:00:00+00:00", set()),
        ("2024-07-09T00:00:00+00:00", set()),
        ("2024-07-08T19:59:00-04:00", {"age"}),
        ("2024-01-31T00:00:00+00:00", {"age", "history"}),
    ],
)
def test_a_model_that_has_grown_old_asks_for_a_training(spark, week, verdict, config, trained, as_of, violated):
    trained(as_of)
    found = check_violations(spark, week, MODEL, AS_OF, True, config)
    ages = {finding.check.name: finding for finding in found.findings if finding.check.kind == "model_age"}
    assert {name for name, finding in ages.items() if finding.violated} == violated
    days = (AS_OF - datetime.fromisoformat(as_of)).total_seconds() / 86400
    assert ages["age"].value == pytest.approx(days)
    of_history = (datetime.fromisoformat(as_of) - config.history_start).total_seconds() / 86400
    assert ages["history"].value == pytest.approx(days / of_history)
    assert all(finding.check.answer == "retrain" for finding in ages.values())


def test_a_version_that_the_registry_does_not_know_has_no_age(verdict):
    ages = [finding for finding in verdict.findings if finding.check.kind == "model_age"]
    assert [(finding.status, finding.value) for finding in ages] == [("not judged", None)] * 2


def test_before_the_first_prediction_nothing_is_violated(spark, week, verdict, config):
    earlier = check_violations(spark, week, MODEL, moment("2024-07-20 00:00"), True, config)
    assert (earlier.status, earlier.violated, earlier.model_version) == ("no predictions", False, "")
