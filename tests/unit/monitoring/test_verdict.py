"""The verdict: each threshold alone violates, and what can't be judged is not."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from monitoring.verdict import NO_PREDICTIONS, OK, TOO_FEW_LABELS, VIOLATED, Figure, judge
from monitoring.windows import Window, judged_window
from project.config import Monitoring, load_config

AS_OF = datetime(2013, 8, 9, tzinfo=UTC)
MONITORING = load_config().monitoring
WINDOW = judged_window(AS_OF, MONITORING)
GOOD = {
    "roc_auc": Figure(0.75),
    "log_loss_skill": Figure(0.1),
    "label_share": Figure(1.0),
    "max_null_share_rise": Figure(0.01, "temp"),
    "prediction_psi": Figure(0.1),
    "max_psi": Figure(1.0, "temp"),
}
BAD = {
    "roc_auc": 0.6,
    "log_loss_skill": -0.01,
    "label_share": 0.95,
    "max_null_share_rise": 0.5,
    "prediction_psi": 0.5,
    "max_psi": 10.0,
}


def verdict(figures, rows=1000, monitoring: Monitoring = MONITORING):
    return judge("3", rows, figures, AS_OF, WINDOW, monitoring)


def test_all_thresholds_have_a_bad_figure_here():
    assert set(BAD) == {threshold.metric for threshold in MONITORING.thresholds}


def test_good_figures_pass():
    found = verdict(GOOD)
    assert (found.status, found.violated) == (OK, False)
    assert all(check.passed for check in found.checks)
    assert len(found.checks) == len(MONITORING.thresholds)


UNKNOWN = {metric: float("nan") for metric in BAD if metric != "label_share"}


@pytest.mark.parametrize(("metric", "value"), [*BAD.items(), *UNKNOWN.items()])
def test_each_threshold_alone_violates(metric, value):
    found = verdict(GOOD | {metric: Figure(value, "pressure")})
    assert found.violated
    failed = [check for check in found.checks if not check.passed]
    assert [check.metric for check in failed] == [metric]
    assert "pressure" in failed[0].sentence
    assert failed[0].sentence in found.sentence


def test_a_figure_that_is_not_there_violates():
    found = verdict({name: figure for name, figure in GOOD.items() if name != "roc_auc"})
    assert found.violated
    assert "could not be computed" in found.sentence


@pytest.mark.parametrize("share", [0.5, 0.0, None, float("nan")])
def test_too_few_labels_are_no_verdict_on_the_model(share):
    found = verdict(GOOD | {"label_share": Figure(share), "roc_auc": Figure(0.1)})
    assert (found.status, found.violated, found.checks) == (TOO_FEW_LABELS, False, ())


def test_no_predictions_are_no_verdict_on_the_model():
    assert verdict({}, rows=0).status == NO_PREDICTIONS


def test_missing_values_are_not_answered_by_training():
    assert "feed" in verdict(GOOD | {"max_null_share_rise": Figure(0.9)}).recommendation
    assert "Train" in verdict(GOOD | {"roc_auc": Figure(0.5)}).recommendation


def test_checks_are_valid_json_also_with_nan():
    found = verdict(GOOD | {"roc_auc": Figure(float("nan"))})
    assert found.status == VIOLATED
    first = json.loads(found.checks_as_json())[0]
    assert (first["metric"], first["value"], first["passed"]) == ("roc_auc", None, False)


def test_the_window_ends_where_labels_are_due():
    day = timedelta(days=1)
    assert Window(datetime(2013, 8, 1, tzinfo=UTC), datetime(2013, 8, 8, tzinfo=UTC)) == WINDOW
    assert judged_window(AS_OF + timedelta(hours=9), MONITORING) == WINDOW
    assert judged_window(AS_OF - timedelta(minutes=1), MONITORING).end == WINDOW.end - day
