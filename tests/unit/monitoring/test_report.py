"""The report: well-formed, complete, safe, also where there is little to tell."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from monitoring.report import render_report, write_report
from monitoring.report_data import Distribution, _distributions, read_report_data
from tests.unit.monitoring.conftest import AS_OF, HOSTILE, MODEL, WATCHED
from tests.unit.monitoring.page import Page


@pytest.fixture(scope="module")
def data(spark, week, verdict, config, registry):
    """What the report of the week shows."""
    return read_report_data(spark, week, MODEL, AS_OF, config)


@pytest.fixture(scope="module")
def page(data, config):
    return Page(render_report(data, config))


def test_the_file_is_named_by_as_of_and_the_same_twice(spark, week, data, config, tmp_path):
    file = write_report(spark, week, tmp_path, MODEL, AS_OF, config)
    assert file == tmp_path / "reports" / "monitoring-2024-08-09.html"
    assert file.read_text(encoding="utf-8") == render_report(data, config)


def test_it_says_the_verdict_and_the_figures(page, data):
    assert data.verdict["sentence"] in page.text
    assert len(data.findings) >= 11
    assert all(finding["sentence"] in page.text for finding in data.findings)
    assert f"{data.now['roc_auc']:.3f}" in page.text
    assert f"{data.before['roc_auc']:.3f}" in page.text
    assert "auc is high enough" in page.text
    assert re.search(r"inference_log\s+1,450", page.text)


def test_a_violation_says_since_when_on_how_many_days_and_what_was_done(data, config):
    broken = data.findings[0] | {"check_name": "ranking", "status": "violated", "days_broken": 4, "days_judged": 6}
    broken |= {"since_day": "3 Aug", "action": "retrain", "days_not_judged": ["2024-08-05"]}
    page = Page(render_report(replace(data, findings=[broken]), config))
    assert re.search(r"✗ violated\s+ranking.*not judged: 2024-08-05.*4 of 6\s+3 Aug\s+retrain", page.text, re.DOTALL)


def test_hostile_values_are_text(page):
    assert HOSTILE in page.text
    assert "script" not in page.tags
    assert re.search(r"alert\(1\)\S*\s+7\b", page.text), "the rows of both refusals are added"


def test_the_pictures_are_there_and_need_nothing_from_elsewhere(page):
    assert len(page.pictures) == 6
    assert all(shapes > 10 for shapes in page.pictures.values())
    assert len(page.ids) == len(set(page.ids))
    assert all(link.startswith("#") for link in page.links)


def test_a_column_beyond_its_bound_is_shown_beside_the_baseline(data, config):
    shift = {"column_name": "weight", "kind": "level", "ratio": 2.5, "sentence": "the mean of weight is 91"}
    moved = {"weight": Distribution([1.0, 2.0], [2.0, 3.0], {}, {}), "region": Distribution([], [], {"north": 1.0}, {})}
    page = Page(render_report(replace(data, drift=[shift, *data.drift], distributions=moved), config))
    assert "the mean of weight is 91" in page.text
    assert {f"{name} in the last week and in the baseline" for name in moved} <= set(page.pictures)


def test_distributions_are_those_of_the_week_and_of_the_baseline(spark, week, verdict, log):
    found = _distributions(spark, week, WATCHED, AS_OF, ["distance", "shop"])
    own = log[log["model_version"] == WATCHED]
    assert found["distance"].now[-1] == own["distance"].max()
    shares = own["shop"].value_counts(normalize=True)
    assert found["shop"].shares_now == pytest.approx(shares.to_dict(), abs=0.01)
    assert set(found["shop"].shares_before) == {"A", "B", "C"}


def test_points_of_the_calibration_picture_are_the_data(data, page):
    bins = data.calibration["now"]
    assert len(bins) >= 4
    assert sum(rows for _, _, rows in bins) <= data.now["labelled_rows"]
    assert all(abs(predicted - happened) < 0.25 for predicted, happened, _ in bins)


def test_an_empty_quarantine_is_said_to_be_empty(data, config):
    empty = Page(render_report(replace(data, quarantine=[]), config))
    assert "None: every row that landed met the contract." in empty.text


def test_without_labels_it_says_so(data, config):
    days = [day | {"labelled_rows": None} for day in data.days]
    verdict = data.verdict | {
        "status": "too few labels",
        "sentence": "Too few labels to judge.",
    }
    changed = replace(data, now={}, days=days, slices=[], calibration={"now": []}, verdict=verdict)
    page = Page(render_report(changed, config))
    assert "Too few labels to judge." in page.text
    assert "No label of this window is known yet" in page.text
    assert set(page.pictures) == {
        "Predictions a day by outcome",
        "How far columns are from what is usual, beside their own bounds",
    }


def test_without_predictions_it_says_so(data, config):
    verdict = data.verdict | {"model_version": "", "status": "no predictions", "rows": 0}
    nothing = {
        "now": {},
        "before": {},
        "days": [],
        "findings": [],
        "slices": [],
        "calibration": {},
        "drift": [],
        "nulls": [],
    }
    page = Page(render_report(replace(data, verdict=verdict, validation=None, **nothing), config))
    assert "Nothing was predicted in this window." in page.text
    assert page.pictures == {}


def test_champion_and_the_one_before_it_are_shown(data, config):
    roles = {"challenger": data.before | {"log_loss": 0.4321}, "champion": data.before | {"log_loss": 0.5432}}
    champion = {"version": "77", "trained_as_of": AS_OF, "git_commit": "f00d"}
    page = Page(render_report(replace(data, challenger_and_champion=roles, champion=champion), config))
    assert all(text in page.text for text in ("0.432", "0.543", "version 77", "f00d"))


def test_gates_are_grouped_and_those_that_failed_come_first(data, config):
    def gate(group, name, passed):
        return {
            "group": group,
            "name": name,
            "passed": passed,
            "value": None,
            "threshold": 1.0,
            "sentence": f"of {name}",
        }

    gates = [gate("data", "d1", True), gate("slices", "s1", True), gate("slices", "s2", False)]
    page = Page(render_report(replace(data, validation=data.validation | {"gates": gates}), config))
    places = [page.text.index(text) for text in ("Slices", "of s2", "of s1", "of d1")]
    assert places == sorted(places)


def test_a_report_without_a_verdict_is_refused(spark, week, data, config):
    with pytest.raises(LookupError, match="no monitoring verdict"):
        read_report_data(spark, week, MODEL, AS_OF + timedelta(days=1), config)
