"""The report of a replay, from figures by hand: what it says, and how it looks in a browser."""

import json
import re
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from project.metrics import binary_metrics
from replay.caught import Outcome
from replay.days import Plan
from replay.faults import faults_of
from replay.figures import Training, by_week
from replay.journal import Entry, Event
from replay.report import goal, render_report, write_report
from replay.report_data import Replayed, ReportData, Way, happenings, run_costs
from tests.browser import check_report
from tests.unit.tables import moment

START, END = moment("2013-02-14 00:00"), moment("2013-12-31 00:00")
PLAN = Plan(START, END, 1, with_faults=True)


def scores(seed: int, weeks: int = 10) -> pd.DataFrame:
    """Forty flights a day whose lateness the prediction knows something of."""
    random = np.random.default_rng(seed)
    asked = pd.date_range(START, periods=weeks * 7 * 40, freq="36min")
    chance = random.uniform(0.05, 0.9, len(asked))
    late = (random.uniform(size=len(asked)) < chance).astype(float)
    return pd.DataFrame(
        {"flight_id": np.arange(len(asked)), "prediction_at": asked, "late": late, "prediction": chance}
    )


def way(name: str, trainings: int, log_loss: float | None = None) -> Way:
    rows = scores(trainings)
    figures = binary_metrics(rows["late"], rows["prediction"])
    figures |= {} if log_loss is None else {"log_loss": log_loss}
    return Way(name, trainings, 5.0 * trainings, figures, by_week(rows, START))


@pytest.fixture(scope="module")
def data() -> ReportData:
    faults = faults_of(PLAN)
    columns = pd.DatetimeIndex([START + timedelta(weeks=week) for week in range(10)])
    drift = pd.DataFrame(np.arange(30.0).reshape(3, 10), index=["temp", "<b>visib</b>", "carrier"], columns=columns)
    trained = [Training("1", START, 9.0, ""), Training("2", moment("2013-04-01 00:00"), 9.0, "monitoring: skill")]
    verdicts = [{"as_of": moment("2013-04-01 00:00"), "status": "violated", "sentence": "It <lost> its skill"}]
    judged = {"as_of": moment("2013-05-01 00:00"), "model_version": "3", "passed": False}
    gates = json.dumps([{"passed": False, "sentence": "too slow"}, {"passed": True, "sentence": "fine"}])
    moves = [{"as_of": START, "action": "promotion", "status": "done", "model_version": "1", "reason": "passed"}]
    entries = (Entry(faults[1].first, "batch_inference", 4.0, "1", 1, (Event("failure", "no file"),)),)
    told = happenings(verdicts, [judged | {"gates": gates}], moves, trained, Replayed(PLAN, "m", entries, faults))
    outcomes = (Outcome(faults[0], "7 rows: duplicate", (), ""), Outcome(faults[1], "", ("3",), "flights: 1 of 2"))
    ways = (
        way("as monitoring asks", 2),
        way("never", 1),
        way("monthly", 3),
        way("weekly", 10),
        way("weekly, unjudged", 10),
    )
    return ReportData(PLAN, "main.x.arrival_delay", ways, drift, told, outcomes, ((30, 2.0), (300, 2.2)), 600.0)


@pytest.mark.homes("local", reason="a page is the same in any home")
def test_the_page_is_legible_on_a_desk_a_phone_and_paper(data, browser, tmp_path):
    check_report(browser, write_report(data, tmp_path / "report.html"), least_pictures=6)


def test_what_comes_from_tables_is_text_and_no_markup(data):
    html = render_report(data)
    assert "It &lt;lost&gt; its skill" in html
    assert "<b>visib</b>" not in html


def test_the_goal_is_measured_against_weekly_and_never():
    ways = (way("own", 16, 0.470), way("never", 1, 0.500), way("monthly", 11, 0.468), way("weekly", 48, 0.465))
    text = goal(ReportData(PLAN, "m", ways, pd.DataFrame(), (), (), (), 0.0))
    assert "16 trainings where weekly retraining has 48 (33%" in text
    assert "0.0050 above weekly retraining's" in text
    assert "0.0300 below that of never" in text


def test_the_time_line_has_all_that_happened_in_order(data):
    kinds = [one.kind for one in data.happenings]
    assert {"violation", "retraining", "promotion", "refusal", "fault", "failure"} == set(kinds)
    assert [one.as_of for one in data.happenings] == sorted(one.as_of for one in data.happenings)
    assert any(one.text == "version 3 fails validation: too slow" for one in data.happenings)


def test_a_fault_is_well_only_if_caught_whole_and_without_a_model(data):
    fault = data.faults[0].scheduled
    assert Outcome(fault, "said", (), "").is_well
    for other in (Outcome(fault, "", (), ""), Outcome(fault, "said", ("2",), ""), Outcome(fault, "said", (), "labels")):
        assert not other.is_well
    assert re.search(r"✗ not well.*?3", render_report(data), re.DOTALL)


def test_an_empty_replay_has_a_report_too():
    html = render_report(ReportData(PLAN, "m", (), pd.DataFrame(), (), (), (), 0.0))
    assert "no version has become champion" in html


def test_the_weeks_figures_are_those_of_the_weeks_flights():
    rows = scores(1, weeks=3)
    second = rows[rows["prediction_at"].between(START + timedelta(days=7), START + timedelta(days=14), "left")]
    found = by_week(rows, START).set_index("week").loc[START + timedelta(days=7)]
    assert found["rows"] == len(second)
    assert found["label_rate"] == pytest.approx(second["late"].mean())


def test_a_runs_cost_leaves_out_the_runs_with_a_training():
    day = timedelta(days=1)
    entries = [
        Entry(START + n * day, job, 50.0 if n == 28 else 2.0 + n / 200, "1", 1 + (n >= 28))
        for n in range(1, 320)
        for job in ("batch_inference", "monitoring")
    ]
    (early, first), (late, last) = run_costs(entries)
    assert (early, late) == (30, 300)
    assert first == pytest.approx(2 * (2 + 30 / 200), abs=0.02)
    assert last == pytest.approx(2 * (2 + 300 / 200), abs=0.02)
