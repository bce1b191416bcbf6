"""The report of a replay, from figures by hand: what it says, and how it looks in a browser."""

import json
import re
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from project.config import Config
from replay.caught import Outcome
from replay.days import Plan
from replay.faults import QUARANTINE, Fault, Scheduled
from replay.figures import Training, by_week, measured
from replay.journal import Entry, Event
from replay.report import goal, render_report, write_report
from replay.report_data import Replayed, ReportData, Way, happenings, run_costs
from tests.browser import check_report
from tests.unit.tables import moment

START, END = moment("2024-02-14 00:00"), moment("2024-12-31 00:00")
PLAN = Plan(START, END, 1, with_faults=True)
DAY = timedelta(days=1)


def scores(seed: int, config: Config, weeks: int = 10) -> pd.DataFrame:
    """Forty parts a day; the prediction knows something of what comes of each."""
    random = np.random.default_rng(seed)
    asked = pd.date_range(START, periods=weeks * 7 * 40, freq="36min")
    chance = random.uniform(0.05, 0.9, len(asked))
    happened = {
        "binary": (random.uniform(size=len(asked)) < chance).astype(float),
        "regression": chance + random.normal(0, 0.1, len(asked)),
    }
    rows = pd.DataFrame({"plant": "north", "number": np.arange(len(asked)), "asked_at": asked, "prediction": chance})
    return rows.assign(**{config.label.column: happened[config.label.kind]})


def way(name: str, trainings: int, config: Config, **others: float) -> Way:
    rows = scores(trainings, config)
    return Way(name, trainings, 5.0 * trainings, measured(rows, config) | others, by_week(rows, START, config))


@pytest.fixture(scope="module")
def data(any_config: Config) -> ReportData:
    fault = Fault("a file twice", "parts", START + 40 * DAY, DAY, lambda rows: rows, QUARANTINE, "duplicate")
    faults = [
        Scheduled(fault, START + days * DAY, START + (days + 1) * DAY, START + (days + 2) * DAY) for days in (39, 80)
    ]
    columns = pd.DatetimeIndex([START + timedelta(weeks=week) for week in range(10)])
    drift = pd.DataFrame(np.arange(30.0).reshape(3, 10), index=["heat", "<b>glow</b>", "plant"], columns=columns)
    trained = [Training("1", START, 9.0, ""), Training("2", moment("2024-04-01 00:00"), 9.0, "monitoring: skill")]
    verdicts = [{"as_of": moment("2024-04-01 00:00"), "status": "violated", "sentence": "It <lost> its skill"}]
    judged = {"as_of": moment("2024-05-01 00:00"), "model_version": "3", "passed": False}
    gates = json.dumps([{"passed": False, "sentence": "too slow"}, {"passed": True, "sentence": "fine"}])
    moves = [{"as_of": START, "action": "promotion", "status": "done", "model_version": "1", "reason": "passed"}]
    entries = (Entry(faults[1].first, "batch_inference", 4.0, "1", 1, (Event("failure", "no file"),)),)
    replayed = Replayed(PLAN, "m", entries, tuple(faults))
    told = happenings(verdicts, [judged | {"gates": gates}], moves, trained, replayed)
    outcomes = (Outcome(faults[0], "7 rows: duplicate", (), ""), Outcome(faults[1], "", ("3",), "parts: 1 of 2"))
    named = {"as monitoring asks": 2, "never": 1, "monthly": 3, "weekly": 10, "monthly, unjudged": 3}
    ways = tuple(way(name, trainings, any_config) for name, trainings in named.items())
    return ReportData(PLAN, "main.x.wear", any_config, ways, drift, told, outcomes, ((30, 2.0), (300, 2.2)), 600.0)


@pytest.fixture(scope="module")
def report(data, tmp_path_factory):
    """The page's file."""
    return write_report(data, tmp_path_factory.mktemp("report") / "report.html")


@pytest.fixture(scope="module")
def html(report):
    return report.read_text(encoding="utf-8")


@pytest.mark.homes("local", reason="a page is the same in any home")
def test_the_page_is_legible_on_a_desk_a_phone_and_paper(report, browser):
    check_report(browser, report, least_pictures=6)


def test_what_comes_from_tables_is_text_and_no_markup(html):
    assert "It &lt;lost&gt; its skill" in html
    assert "<b>glow</b>" not in html


def test_the_goal_is_measured_against_weekly_and_never(any_config):
    loss = any_config.label.loss_figure
    losses = {("own", 16): 0.470, ("never", 1): 0.500, ("monthly", 11): 0.468, ("weekly", 48): 0.465}
    ways = tuple(way(*of, any_config, **{loss: value}) for of, value in losses.items())
    text = goal(ReportData(PLAN, "m", any_config, ways, pd.DataFrame(), (), (), (), 0.0))
    assert "16 trainings where weekly retraining has 48 (33%" in text
    assert f"{any_config.label.measure_of(loss, 'parts').title} is 1.1% above weekly retraining's" in text
    assert "6.0% below that of never" in text


def test_ways_are_compared_by_the_loss_the_quality_and_every_other_error(data, html):
    names = {
        "binary": ["log_loss", "roc_auc", "brier", "calibration_error"],
        "regression": ["rmse", "mae", "absolute_bias"],
    }[data.config.label.kind]
    assert [measure.name for measure in data.compared] == names
    heads = re.findall(r"<th class=\"n[^>]*>([^<]+)</th>", html)
    assert heads == ["Trainings", "Seconds", *(measure.title for measure in data.compared)]
    first, *lines = data.summary.splitlines()
    assert len(first) == 60
    assert first.endswith(f"{data.compared[0].short_title:>10}{data.compared[1].short_title:>10}")
    figures = data.ways[1].figures
    assert lines[1].split() == ["never", "1", "5", f"{figures[names[0]]:.4f}", f"{figures[names[1]]:.4f}"]


def test_the_time_line_has_all_that_happened_in_order(data):
    kinds = [one.kind for one in data.happenings]
    assert {"violation", "retraining", "promotion", "refusal", "fault", "failure"} == set(kinds)
    assert [one.as_of for one in data.happenings] == sorted(one.as_of for one in data.happenings)
    assert any(one.text == "version 3 fails validation: too slow" for one in data.happenings)


def test_a_fault_is_well_only_if_caught_whole_and_without_a_model(data, html):
    fault = data.faults[0].scheduled
    assert Outcome(fault, "said", (), "").is_well
    for other in (Outcome(fault, "", (), ""), Outcome(fault, "said", ("2",), ""), Outcome(fault, "said", (), "labels")):
        assert not other.is_well
    assert re.search(r"✗ not well.*?3", html, re.DOTALL)


def test_an_empty_replay_has_a_report_too(config):
    html = render_report(ReportData(PLAN, "m", config, (), pd.DataFrame(), (), (), (), 0.0))
    assert "no version has become champion" in html


def test_the_weeks_figures_are_those_of_the_weeks_rows(any_config):
    rows, label = scores(1, any_config, weeks=3), any_config.label.column
    second = rows[rows["asked_at"].between(START + 7 * DAY, START + 14 * DAY, "left")]
    found = by_week(rows, START, any_config).set_index("week").loc[START + 7 * DAY]
    assert found["rows"] == len(second)
    assert found["mean_label"] == pytest.approx(second[label].mean())


def test_a_runs_cost_leaves_out_the_runs_with_a_training():
    entries = [
        Entry(START + n * DAY, job, 50.0 if n == 28 else 2.0 + n / 200, "1", 1 + (n >= 28))
        for n in range(1, 320)
        for job in ("batch_inference", "monitoring")
    ]
    (early, first), (late, last) = run_costs(entries)
    assert (early, late) == (30, 300)
    assert first == pytest.approx(2 * (2 + 30 / 200), abs=0.02)
    assert last == pytest.approx(2 * (2 + 300 / 200), abs=0.02)
