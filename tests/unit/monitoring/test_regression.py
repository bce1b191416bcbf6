"""The whole monitoring of a label that is a number: figures, verdict, report, dashboard."""

import json
import re
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from databricks.sdk.service.dataquality import InferenceProblemType
from pyspark.sql import functions as F
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from monitoring.dashboard import dashboard_text
from monitoring.monitoring import monitor
from monitoring.report_data import read_report_data
from project.config import MonitoringCheck, load_config
from project.kinds.regression import Regression
from project.tables import plain
from tests.browser import check_report
from tests.unit.monitoring.page import Page
from tests.unit.tables import collected

BASE = load_config()
LABEL = Regression(
    kind="regression",
    column="minutes",
    outcome="done",
    other_outcomes=("given_up",),
    quantity="waiting",
    unit="minutes",
)
ASKED, PREDICTION = BASE.subject.prediction_time, BASE.prediction.column
MODEL = "spark_catalog.regression.model"
BEGIN, DAY = datetime(2024, 5, 1, tzinfo=UTC), timedelta(days=1)
VALIDATED = BEGIN + 35 * DAY
AS_OF = VALIDATED + 13 * DAY
ROWS = 60
# In minutes, of the noise: predictions are true means of what happens. It has doubled since the validation.
NOISE, NOISE_SINCE = 10, 20


def check(name, metric, threshold, greater_is_better=False, by_slice=False, of_days=1):
    return MonitoringCheck(
        name=name,
        kind="model_quality",
        metric=metric,
        greater_is_better=greater_is_better,
        threshold=threshold,
        days_broken=of_days,
        of_days=of_days,
        answer="retrain",
        by_slice=by_slice,
    )


# One of them is known by two columns, of which the model has learned from the first.
KEY = ("shop", "number")
CONFIG = BASE.model_copy(
    update={
        "subject": BASE.subject.model_copy(update={"key": KEY}),
        "label": LABEL,
        "slices": ("shop",),
        "monitoring": BASE.monitoring.model_copy(
            update={
                "min_labelled_rows": 20,
                "checks": (
                    check("error", "mae", 12, of_days=3),
                    check("explained", "r2", 0, greater_is_better=True),
                    check("explained_of_slices", "r2", 0.999, greater_is_better=True, by_slice=True),
                    check("error_grows", "decline", 1),
                ),
            }
        ),
    }
)


def made(start, days, noise, seed):
    """Rows of whole days, what came of them, and the day that each is of."""
    random = np.random.default_rng(seed)
    rows = days * ROWS
    asked = (
        start
        + pd.to_timedelta(np.repeat(np.arange(days), ROWS), "D")
        + pd.to_timedelta(random.integers(0, 86_400, rows), "s")
    )
    load = random.uniform(0, 3, rows)
    subject, shop = BASE.subject, random.choice(["A", "B"], rows)
    number = pd.Series(shop).groupby(shop).cumcount().map(lambda place: f"{start:%m%d}-{place}")
    return pd.DataFrame(
        {
            **dict.fromkeys(("number", *subject.lookup_keys), number),
            **dict.fromkeys((subject.event_time, ASKED), asked),
            "shop": shop,
            "load": load,
            PREDICTION: 30 * load,
            LABEL.column: 30 * load + noise * random.standard_normal(rows),
            "model_name": MODEL,
            "model_version": "1",
        }
    )


@pytest.fixture(scope="module")
def recent():
    """Of thirteen days, the first three rows of each given up, and the last day still waiting."""
    rows = made(VALIDATED, 13, NOISE_SINCE, seed=2)
    rows["as_of"] = rows[ASKED].dt.floor("D")
    rows["outcome"] = LABEL.outcome
    first = rows.groupby("as_of").head(3).index
    rows.loc[first, ["outcome", LABEL.column]] = "given_up", np.nan
    return rows


@pytest.fixture(scope="module")
def tables(home, spark, inputs, client, registry, recent, tmp_path_factory):
    """All that monitoring leaves."""
    predicted = recent.drop(columns=["outcome", LABEL.column])
    known = recent[recent["as_of"] < recent["as_of"].max()]
    labels = known[[*KEY, LABEL.column, "outcome"]].assign(known_at=known[ASKED] + timedelta(hours=2))
    judged = made(BEGIN, 35, NOISE, seed=1).assign(as_of=VALIDATED)
    with home.schema(spark, "regression") as tables:
        inputs.write_frame(tables.predictions, predicted)
        inputs.write_frame(tables.labels, labels)
        inputs.write_frame(tables.validation_scores, judged)
        inputs.write(
            tables.validation_verdicts,
            [(MODEL, "1", VALIDATED, None, True, BEGIN, VALIDATED, "[]", "abc123")],
            "model_name string, model_version string, as_of timestamp, champion_version string, passed boolean, "
            "window_start timestamp, window_end timestamp, gates string, git_commit string",
        )
        inputs.write(
            tables.validation_metrics,
            [
                (
                    MODEL,
                    "1",
                    VALIDATED,
                    "challenger",
                    "",
                    "",
                    *LABEL.measure(judged[LABEL.column], judged[PREDICTION]).values(),
                )
            ],
            "model_name string, model_version string, as_of timestamp, role string, slice_key string, "
            f"slice_value string, {', '.join(f'{name} double' for name in LABEL.metrics)}",
        )
        yield tables


@pytest.fixture(scope="module")
def volume(tmp_path_factory):
    return tmp_path_factory.mktemp("volume")


@pytest.fixture(scope="module")
def verdict(spark, client, tables, volume):
    return monitor(spark, client, tables, volume, MODEL, AS_OF, True, CONFIG)


@pytest.fixture(scope="module")
def report(verdict, volume):
    return volume / "reports" / f"monitoring-{AS_OF:%Y-%m-%d}.html"


def test_the_monitor_watches_numbers(client, tables, verdict):
    table_id = client.tables.get(plain(tables.inference_log)).table_id
    watched = client.data_quality.get_monitor("table", table_id).data_profiling_config.inference_log
    assert watched.problem_type is InferenceProblemType.INFERENCE_PROBLEM_TYPE_REGRESSION
    assert (watched.prediction_column, watched.label_column) == (PREDICTION, LABEL.column)


@pytest.mark.parametrize("shop", [None, "B"])
def test_the_figures_of_a_day_and_a_slice_are_scikit_learns(spark, tables, verdict, recent, shop):
    day = VALIDATED + 4 * DAY
    rows = recent[(recent["as_of"] == day) & ((recent["shop"] == shop) | (shop is None))]
    known = rows[rows["outcome"] == LABEL.outcome]
    happened, predicted = known[LABEL.column], known[PREDICTION]
    own = (F.col("window.start") == F.lit(day)) & (F.col("column_name") == ":table")
    of_slice = F.col("slice_value").eqNullSafe(F.lit(shop))
    (found,) = collected(spark.table(tables.profile_metrics).filter(own & of_slice & (F.col("log_type") == "INPUT")))
    assert (found["count"], found["done"], found["labelled_rows"]) == (len(rows), len(known), len(known))
    assert (found["given_up"], found["pending"]) == (len(rows) - len(known), 0)
    assert found["mean_label"] == pytest.approx(happened.mean())
    assert found["mean_prediction"] == pytest.approx(predicted.mean())
    assert found["mae"] == pytest.approx(mean_absolute_error(happened, predicted))
    squared = mean_squared_error(happened, predicted)
    assert (found["rmse"], found["root_mean_squared_error"]) == pytest.approx((squared**0.5, squared**0.5))
    assert found["mean_squared_error"] == pytest.approx(squared)
    assert (found["r2"], found["r2_score"]) == pytest.approx((r2_score(happened, predicted),) * 2)


def test_errors_that_have_doubled_are_found_in_words_of_the_label(verdict, recent):
    found = {finding.check.name: finding for finding in verdict.findings}
    assert {name for name, finding in found.items() if finding.violated} == {
        "error",
        "explained_of_slices",
        "error_grows",
    }
    last = recent[(recent["as_of"] == VALIDATED + 11 * DAY) & recent[LABEL.column].notna()]
    error = mean_absolute_error(last[LABEL.column], last[PREDICTION])
    assert found["error"].sentence.startswith(f"Mean absolute error is {error:.3f}, at most 12 is allowed: 3 of 3 days")
    assert re.match(
        r"Mean absolute error of the last 10 days is 1\d\.\d+ where [78]\.\d+ was expected", found["error_grows"].detail
    )
    assert found["explained_of_slices"].sentence.startswith("R² (shop B) is 0.7")
    assert (verdict.action, verdict.status) == ("retrain", "violated")


def test_points_of_the_calibration_picture_are_tenths_of_the_rows(spark, tables, verdict, recent):
    data = read_report_data(spark, tables, MODEL, AS_OF, CONFIG)
    start, end = AS_OF - 8 * DAY, AS_OF - DAY
    known = recent[(recent["as_of"] >= start) & (recent["as_of"] < end) & recent[LABEL.column].notna()]
    ordered = known.sort_values(PREDICTION)[[PREDICTION, LABEL.column]].to_numpy()
    tenths = np.array([part.mean(axis=0) for part in np.array_split(ordered, 10)])
    bins = data.calibration["now"]
    assert sum(rows for *_, rows in bins) == len(known)
    assert [bin[:2] for bin in bins] == [pytest.approx(tuple(tenth), rel=0.05) for tenth in tenths]


def test_the_report_is_of_the_labels_measures_and_units(report, recent):
    page = Page(report.read_text(encoding="utf-8"))
    assert [one.title for one in LABEL.measures(BASE.subject.plural) if one.title not in page.text] == []
    assert "how far a prediction is from what happened, in minutes" in page.text
    assert "What is given up was predicted like all else and never gets a label" in page.text
    assert set(page.pictures) >= {
        "Mean waiting by predicted waiting (minutes)",
        "Mean predicted waiting and Mean waiting by day",
        "Mean absolute error by shop",
        "Predictions a day by outcome",
    }
    assert not re.search("ROC|probabilit|chance|no skill", page.text)


@pytest.mark.homes("local", reason="a page is the same in any home")
def test_the_report_is_legible(browser, report):
    check_report(browser, report, 5)


def test_the_dashboard_shows_columns_that_are_there(spark, tables, verdict):
    dashboard = json.loads(dashboard_text(CONFIG))
    columns = {}
    for one in dashboard["datasets"]:
        query = re.sub(r"FROM (?!days)(\w+)", rf"FROM {tables.full_schema}.\1", "".join(one["queryLines"]))
        found = spark.sql(query)
        assert not found.isEmpty(), one["name"]
        columns[one["name"]] = set(found.columns)
    shown = {}
    for item in dashboard["pages"][0]["layout"]:
        query = item["widget"]["queries"][0]["query"]
        names = {field["name"] for field in query["fields"]}
        assert names <= columns[query["datasetName"]], item["widget"]["name"]
        shown |= dict.fromkeys(names, item["widget"]["spec"]["frame"]["title"])
    assert {"mae": "Quality by slice", "r2": "Quality by slice"}.items() <= shown.items()
    assert not {"roc_auc", "log_loss_skill"} & set(shown)
