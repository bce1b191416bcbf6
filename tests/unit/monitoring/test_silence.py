"""Nothing goes silent: what stops, or happens behind the job's back, is named within a day."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from mlflow import MlflowClient
from pyspark.sql import functions as F

from monitoring.baseline import refresh_baseline
from monitoring.ground_truth import make_log, with_derived
from monitoring.monitor import refresh_monitor
from monitoring.violations import check_violations
from tests.unit.monitoring.conftest import LABEL, SUBJECT, scored

NUMBERS = count()
DAY = timedelta(days=1)
START = datetime(2024, 8, 1, tzinfo=UTC)
LAST = START + 7 * DAY


@pytest.fixture
def deployment(home, spark, client, config):
    """A week that was well, with a champion that was promoted; gives tables, and what refreshes and judges."""
    # A monitor goes with its table's name, and a registry has a model's for good: each test has its own.
    name = f"silent_{next(NUMBERS)}"
    model = f"spark_catalog.{name}.model"
    MlflowClient().create_registered_model(model)
    for _ in range(2):
        MlflowClient().create_model_version(model, "made/nowhere", tags={"as_of": START.isoformat()})
    MlflowClient().set_registered_model_alias(model, "champion", "1")
    with home.schema(spark, name) as tables:
        yield Deployment(spark, client, tables, config, model)


class Deployment:
    """Tables of one deployment, and its monitoring."""

    def __init__(self, spark, client, tables, config, model):
        self.spark, self.client, self.tables, self.config, self.model = spark, client, tables, config, model
        rows = self.rows(START, 7, version="1")
        make_log(tables.inference_log, rows)
        rows.writeTo(tables.inference_log).append()
        scores = self.frame(
            scored(3000, START - 30 * DAY, 30, START, seed=1).assign(model_version="1", model_name=self.model)
        )
        scores.write.format("delta").saveAsTable(tables.validation_scores)
        verdict = self.spark.createDataFrame(
            [(self.model, "1", START)], "model_name string, model_version string, as_of timestamp"
        )
        verdict.write.format("delta").saveAsTable(tables.validation_verdicts)
        self.promote("1", START)

    def frame(self, rows):
        return self.spark.createDataFrame(rows)

    def rows(self, start, days, version, labelled=True):
        made = scored(150 * days, start, days, start + days * DAY, seed=2).assign(
            model_version=version, model_name=self.model
        )
        made["label_known_at"] = made[SUBJECT.prediction_time] + timedelta(hours=4) if labelled else None
        made["label_known_at"] = made["label_known_at"].astype("datetime64[ns, UTC]")
        made[LABEL.column] = made[LABEL.column] if labelled else float("nan")
        made["outcome"] = LABEL.outcome if labelled else "pending"
        frame = with_derived(self.frame(made), self.config)
        return frame.withColumn(LABEL.column, F.nanvl(LABEL.column, F.lit(None).cast("double")))

    def score(self, start, days, version="1", labelled=True):
        self.rows(start, days, version, labelled).writeTo(self.tables.inference_log).append()

    def promote(self, version, as_of):
        row = [(self.model, int(as_of.timestamp()), version, "done", as_of)]
        schema = "model_name string, move bigint, model_version string, status string, as_of timestamp"
        self.spark.createDataFrame(row, schema).write.format("delta").mode("append").saveAsTable(self.tables.promotions)

    def refresh(self):
        refresh_baseline(self.spark, self.tables, self.model, LAST + 9 * DAY, self.config)
        refresh_monitor(self.client, self.tables, self.config)

    def violated(self, as_of):
        verdict = check_violations(self.spark, self.tables, self.model, as_of, False, self.config)
        return {finding.check.name: finding for finding in verdict.violations}


SILENCES = {"no_predictions", "labels", "measured", "champion_moved", "two_versions"}


def test_a_week_that_was_well_names_nothing(deployment):
    deployment.refresh()
    assert not SILENCES & set(deployment.violated(LAST))


def test_predictions_that_stop_are_named_the_day_after(deployment):
    deployment.refresh()
    assert deployment.violated(LAST + DAY)["no_predictions"].since == LAST


def test_labels_that_stop_are_named_once_they_are_due(deployment):
    deployment.score(LAST, 1, labelled=False)
    deployment.refresh()
    assert "labels" not in deployment.violated(LAST + DAY)
    assert deployment.violated(LAST + 2 * DAY)["labels"].since == LAST


def test_days_that_the_monitor_has_not_measured_are_named(deployment):
    deployment.refresh()
    deployment.score(LAST, 1)
    found = deployment.violated(LAST + DAY)["measured"]
    assert (found.value, found.since) == (1, LAST)


def test_a_champion_that_was_moved_by_hand_is_named(deployment):
    deployment.refresh()
    MlflowClient().set_registered_model_alias(deployment.model, "champion", "2")
    assert "champion_moved" in deployment.violated(LAST)
    deployment.promote("2", LAST)
    assert "champion_moved" not in deployment.violated(LAST)


@pytest.mark.parametrize("promoted", [LAST - DAY, LAST - DAY / 2])
def test_a_day_that_two_versions_scored_is_named_unless_one_was_promoted_in_its_course(deployment, promoted):
    deployment.score(LAST - DAY, 1, version="2")
    deployment.refresh()
    assert deployment.violated(LAST)["two_versions"].value == 2
    deployment.promote("2", promoted)
    assert "two_versions" not in deployment.violated(LAST)
