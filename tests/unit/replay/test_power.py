"""`make power` in small: a made-up half-year, three shifts in five weeks, and answers that are known."""

import json
from collections.abc import Iterator
from functools import partial
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from monitoring.drift import Usual
from project.config import Config, load_config
from replay.power import Case, Feed, Monitor, Scores, decline_power, drift_power, shifts_of, slices_of
from replay.power_run import measure, show, write

START = pd.Timestamp("2013-01-07", tz="UTC")
ROWS, TRAINED, DAYS = 240, (56, 112), 168


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config()


@pytest.fixture(scope="module")
def scores() -> Scores:
    """Version 1 from day 56 on, version 2 from day 112; `warmth` and `glow` follow `heat`, which wanders."""
    random = np.random.default_rng(1)
    number = np.repeat(np.arange(DAYS), ROWS)
    heat = 10 * np.sin(number / 2) + 5 * np.sin(np.tile(np.arange(ROWS), DAYS) / 40) + random.normal(0, 3, len(number))
    prediction = random.beta(2, 5, len(number))
    rows = pd.DataFrame(
        {
            "prediction_at": START
            + pd.to_timedelta(number, unit="D")
            + pd.to_timedelta(np.tile(np.arange(ROWS) / 10, DAYS), unit="h"),
            "heat": heat,
            "warmth": 2 * heat + random.normal(0, 1, len(number)),
            "glow": -heat + random.normal(0, 1, len(number)),
            "origin": random.choice(["EWR", "JFK"], len(number)),
            "prediction": prediction,
            "late": (random.random(len(number)) < prediction).astype(float),
            "version": np.where(number < TRAINED[1], 1, 2),
        }
    )
    rows["day"] = rows["prediction_at"].dt.floor("D")
    references = {v: rows[number < trained].reset_index(drop=True) for v, trained in enumerate(TRAINED, start=1)}
    log = rows[number >= TRAINED[0]].reset_index(drop=True)
    return Scores(log, references, ["heat", "warmth", "glow", "prediction"], ["origin"])


def three(usual: Usual, before: pd.DataFrame, by: float) -> Iterator[Case]:
    """A shift that matters, one that does not, and a category that is new."""

    def shifted(rows: pd.DataFrame, _: object, size: float) -> pd.DataFrame:
        return rows.assign(warmth=rows["warmth"] + size * usual.deviation["warmth"])

    yield Case("large", ("warmth",), partial(shifted, size=by))
    yield Case("small", ("warmth",), partial(shifted, size=0.01 * by))
    yield Case("new", ("origin",), lambda rows, _: rows.assign(origin=rows["origin"].mask(rows.index % 20 == 0, "LGA")))


def test_three_shifts_in_five_weeks_have_the_answers_that_are_known(scores: Scores, config: Config) -> None:
    monitor = Monitor(scores, config)
    found = drift_power(monitor, scores, partial(three, by=1.0), 5)
    assert {kind: (tally.cases, tally.named, tally.beside) for kind, tally in found.items()} == {
        "large": (5, 5, 0),
        "small": (5, 0, 0),
        "new": (5, 5, 0),
    }
    assert monitor.alarms() == []


def test_a_week_is_judged_by_the_version_that_scored_it_and_only_where_it_knows_enough(
    scores: Scores, config: Config
) -> None:
    monitor = Monitor(scores, config)
    versions = [monitor.usual(START + pd.Timedelta(days=day)) for day in (60, 120)]
    assert [usual.weeks for usual in versions if usual] == [8, 16]
    short = {1: scores.references[1].tail(20 * ROWS), 2: scores.references[2]}
    unable = Monitor(Scores(scores.rows, short, scores.numeric, scores.texts), config)
    assert min(unable.weeks(5)) >= START + pd.Timedelta(days=TRAINED[1])


def test_every_kind_of_shift_is_tried_and_found_where_columns_explain_each_other(
    scores: Scores, config: Config, tmp_path: Path
) -> None:
    feeds = [Feed("heat_features", ("origin",), ("heat", "warmth", "glow"))]
    power = measure(scores, feeds, config, 3)
    assert set(power.drift) == {
        *("one standard deviation", "NULLs, 10 points more", "stuck at one value", "a new category, 2 %"),
        *("a share doubled", "a share halved", "predictions + 0.05", "a feed repeats a day"),
    }
    for kind in ("one standard deviation", "NULLs, 10 points more", "a new category, 2 %", "a feed repeats a day"):
        assert power.drift[kind].power == 1, kind
    file = tmp_path / "power.json"
    write(power, file)
    assert json.loads(file.read_text())["drift"]["a new category, 2 %"]["named"] == 3
    console = Console(record=True, width=200, file=StringIO())
    show(power, console)
    assert "one standard deviation" in console.export_text()


def test_units_of_the_columns_that_have_some_are_mistaken(scores: Scores, config: Config) -> None:
    renamed = {"heat": "temp", "warmth": "dep_delay"}
    rows = scores.rows.rename(columns=renamed)
    references = {version: of.rename(columns=renamed) for version, of in scores.references.items()}
    named = Scores(rows, references, ["temp", "dep_delay", "prediction"], ["origin"])
    usual = Monitor(named, config).usual(START + pd.Timedelta(days=60))
    assert usual
    cases = {case.kind: case.columns for case in shifts_of(usual, rows.head(ROWS), named, config, [])}
    assert (cases["°F as °C"], cases["minutes as seconds"]) == (("temp",), ("dep_delay",))


def test_a_large_drop_in_roc_auc_is_named_and_one_bad_day_is_not(scores: Scores, config: Config) -> None:
    drops, bad_days, alarms = decline_power(scores, config, 5, 0.3)
    assert (drops.named, drops.cases) == (5, 5)
    assert bad_days.named < drops.named
    assert alarms <= 2
    of_slice, _, _ = decline_power(scores, config, 5, 0.3, "origin", "EWR")
    assert of_slice.named == 5
    assert {(key, value) for key, value, _ in slices_of(scores, config)} == {("origin", "EWR"), ("origin", "JFK")}
