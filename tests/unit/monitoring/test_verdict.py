"""The verdict: what is done about the findings, and when a training must wait."""

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.checks import Place, find
from monitoring.verdict import judge
from monitoring.violations import verdict_rows
from monitoring.windows import Window, judged_window
from project.config import load_config

AS_OF = datetime(2024, 8, 9, tzinfo=UTC)
LABEL, MONITORING = load_config().label, load_config().monitoring
WINDOW = judged_window(AS_OF, MONITORING)
LAST = WINDOW.end - timedelta(days=1)
CHECKS = {check.name: check for check in MONITORING.checks}
DAY = timedelta(days=1)


def findings(*violated, unlabelled=False):
    """What the checks found where those of these names are violated."""
    found = []
    for check in MONITORING.checks:
        beyond = -1 if check.greater_is_better else 1
        value = check.threshold + (beyond if check.name in violated else -beyond)
        value = None if unlabelled and check.kind == "model_quality" else value
        found += find(check, {Place(): {LAST - DAY * ago: value for ago in range(check.of_days)}}, LAST, LABEL)
    return found


def verdict(found, last_training=None, may_retrain=True, version="3"):
    return judge(version, 1000, 1.0, found, AS_OF, WINDOW, last_training, may_retrain, MONITORING)


def test_where_nothing_is_violated_nothing_is_done():
    found = verdict(findings())
    assert (found.status, found.violated, found.action, found.cause) == ("ok", False, "none", "")
    assert found.sentence == f"Version 3 does what it should: all {len(CHECKS)} checks passed."


def test_what_could_not_be_judged_has_not_passed():
    found = findings()
    unjudged = [find(check, {}, LAST, LABEL)[0] for check in MONITORING.checks[:2]]
    said = verdict([*unjudged, *(one for one in found if one.check not in MONITORING.checks[:2])]).sentence
    number = len(CHECKS)
    passed = f"{number - 2} of {number} checks passed, and 2 could not be judged"
    assert said == f"Version 3 does what it should: {passed}."


@pytest.mark.parametrize("name", CHECKS)
def test_each_check_alone_violates_and_has_its_answer(name):
    found = verdict(findings(name))
    assert (found.status, found.action) == ("violated", CHECKS[name].answer)
    assert [finding.check.name for finding in found.violations] == [name]
    assert found.violations[0].sentence in found.sentence
    assert bool(found.cause) is (CHECKS[name].answer == "retrain")


def test_of_a_check_that_many_places_violate_the_worst_is_told_in_full_and_the_others_by_name():
    slices, volume = CHECKS["ranking_of_slices"], findings("volume")
    below = {"north": 0.01, "south": 0.1, "west": 0.05}
    places = {
        Place("", "region", name): {LAST - DAY * ago: slices.threshold - by for ago in range(slices.of_days)}
        for name, by in below.items()
    }
    found = verdict([*find(slices, places, LAST, LABEL), *volume])
    worst = next(finding for finding in found.violations if finding.place.slice_value == "south")
    assert f"{worst.sentence} (also region north, region west)" in found.sentence
    assert found.sentence.count("ROC AUC") == 1
    assert " violates 2 of " in found.sentence
    assert len(found.violations) == 4


def test_what_to_do_is_said_once_for_each_thing_that_is_wrong():
    drift = CHECKS["feature_drift"]
    words = {Place(name): (f"{name} has moved", "Look at its unit.") for name in ("temp", "dewp")}
    found = verdict(find(drift, {place: {LAST: 3.0} for place in words}, LAST, LABEL, words))
    assert found.recommendation == "Look at its unit."
    assert "has moved" in found.sentence


def test_every_kind_of_violation_is_watched():
    kinds = {"data_quality", "feature_drift", "prediction_drift", "model_quality", "model_age", "absence_of_data"}
    assert {check.kind for check in MONITORING.checks} == kinds


def test_the_cause_names_the_figure_and_since_when():
    assert verdict(findings("ranking", "volume")).cause == "monitoring: roc_auc since 2024-08-01"


def test_in_the_cool_down_a_violation_alerts_alone_and_says_until_when():
    cooldown = MONITORING.retraining.cooldown
    for since in (DAY, cooldown - timedelta(seconds=1)):
        found = verdict(findings("ranking"), AS_OF - since)
        assert (found.action, found.cause) == ("alert", "")
        assert found.cooldown_until == AS_OF - since + cooldown
        assert f"{found.cooldown_until:%Y-%m-%d}" in found.recommendation
    after = verdict(findings("ranking"), AS_OF - cooldown)
    assert (after.action, after.cooldown_until) == ("retrain", None)


def test_a_violation_that_training_does_not_answer_knows_no_cool_down():
    found = verdict(findings("volume"), AS_OF - DAY)
    assert (found.action, found.cooldown_until) == ("alert", None)
    assert "feed" in found.recommendation


def test_a_deployment_that_does_not_retrain_alerts():
    found = verdict(findings("ranking"), may_retrain=False)
    assert (found.action, found.cause) == ("alert", "")
    assert "Train" in found.recommendation


def test_without_labels_the_model_is_not_judged_but_the_data_is():
    assert verdict(findings(unlabelled=True)).status == "too few labels"
    assert verdict(findings("volume", unlabelled=True)).status == "violated"


def test_nothing_predicted_ever_is_no_violation():
    found = verdict([finding for check in MONITORING.checks for finding in find(check, {}, LAST, LABEL)], version="")
    assert (found.status, found.violated, found.action) == ("no predictions", False, "none")


def test_rows_say_what_was_done_about_each():
    first, *rows = verdict_rows("model", verdict(findings("ranking", "volume")))
    assert (first["check_name"], first["action"], first["since"]) == (":all", "retrain", LAST - 6 * DAY)
    actions = {row["check_name"]: row["action"] for row in rows}
    assert {name: action for name, action in actions.items() if action != "none"} == {
        "ranking": "retrain",
        "volume": "alert",
    }
    assert all(set(row) == set(first) for row in rows)


def test_the_window_ends_where_labels_are_due():
    assert Window(datetime(2024, 8, 1, tzinfo=UTC), datetime(2024, 8, 8, tzinfo=UTC)) == WINDOW
    assert judged_window(AS_OF + timedelta(hours=9), MONITORING) == WINDOW
    assert judged_window(AS_OF - timedelta(minutes=1), MONITORING).end == WINDOW.end - DAY
