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
from monitoring.reference import Reference
from project.config import Config
from replay.faults import Unit
from replay.power import Case, Feed, Monitor, Scores, decline_power, drift_power, fallen, shifts_of, slices_of
from replay.power_run import Power, measure, show, write

START = pd.Timestamp("2024-01-08", tz="UTC")
ROWS, TRAINED, DAYS = 240, (56, 112), 168


@pytest.fixture(scope="module")
def scores(config: Config) -> Scores:
    return made(config)


def made(config: Config) -> Scores:
    """Version 1 from day 56 on, version 2 from day 112; `warmth` and `glow` follow `heat`, which wanders."""
    random = np.random.default_rng(1)
    number = np.repeat(np.arange(DAYS), ROWS)
    heat = 10 * np.sin(number / 2) + 5 * np.sin(np.tile(np.arange(ROWS), DAYS) / 40) + random.normal(0, 3, len(number))
    prediction = random.beta(2, 5, len(number))
    rows = pd.DataFrame(
        {
            "asked_at": START
            + pd.to_timedelta(number, unit="D")
            + pd.to_timedelta(np.tile(np.arange(ROWS) / 10, DAYS), unit="h"),
            "heat": heat,
            "warmth": 2 * heat + random.normal(0, 1, len(number)),
            "glow": -heat + random.normal(0, 1, len(number)),
            "plant": random.choice(["north", "south"], len(number)),
            "prediction": prediction,
            "version": np.where(number < TRAINED[1], 1, 2),
        }
    )
    happened = {
        "binary": (random.random(len(number)) < prediction).astype(float),
        "regression": prediction + random.normal(0, 0.1, len(number)),
    }
    rows[config.label.column] = happened[config.label.kind]
    rows["day"] = rows["asked_at"].dt.floor("D")
    numeric, texts = ["heat", "warmth", "glow", "prediction"], ["plant"]
    before = {version: rows[number < trained] for version, trained in enumerate(TRAINED, start=1)}
    references = {version: Reference.of(own, own["day"], numeric, texts) for version, own in before.items()}
    return Scores(rows[number >= TRAINED[0]].reset_index(drop=True), references, numeric, texts)


def three(usual: Usual, before: pd.DataFrame, by: float) -> Iterator[Case]:
    """A shift that matters, one that does not, and a category that is new."""

    def shifted(rows: pd.DataFrame, _: object, size: float) -> pd.DataFrame:
        return rows.assign(warmth=rows["warmth"] + size * usual.deviation["warmth"])

    yield Case("large", ("warmth",), partial(shifted, size=by))
    yield Case("small", ("warmth",), partial(shifted, size=0.01 * by))
    yield Case("new", ("plant",), lambda rows, _: rows.assign(plant=rows["plant"].mask(rows.index % 20 == 0, "west")))


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
    newest = scores.references[1].inputs.rows.tail(20 * ROWS)
    short = scores.references | {1: Reference.of(newest, newest["day"], scores.numeric, scores.texts)}
    unable = Monitor(Scores(scores.rows, short, scores.numeric, scores.texts), config)
    assert min(unable.weeks(5)) >= START + pd.Timedelta(days=TRAINED[1])


def test_every_kind_of_shift_is_tried_and_found_where_columns_explain_each_other(
    scores: Scores, config: Config, tmp_path: Path
) -> None:
    feeds = [Feed("heat_features", ("plant",), ("heat", "warmth", "glow"))]
    units = [Unit("°F as °C", "heat|glow", 1 / 1.8, 32.0)]
    power = measure(scores, feeds, units, config, 3)
    assert set(power.drift) == {
        *("one standard deviation", "NULLs, 10 points more", "stuck at one value", "a new category, 2 %"),
        *("a share doubled", "a share halved", "all predictions higher", "a feed repeats a day", "°F as °C"),
    }
    for kind in ("one standard deviation", "NULLs, 10 points more", "a new category, 2 %", "a feed repeats a day"):
        assert power.drift[kind].power == 1, kind
    file = tmp_path / "power.json"
    write(power, file)
    assert json.loads(file.read_text())["drift"]["a new category, 2 %"]["named"] == 3
    assert "one standard deviation" in shown(power, config)


def shown(power: Power, config: Config) -> str:
    console = Console(record=True, width=200, file=StringIO())
    show(power, config.label, console)
    return console.export_text()


def test_a_decline_is_shown_as_a_fall_of_what_should_be_great_or_as_a_rise_of_an_error(any_config: Config) -> None:
    text = shown(Power(1, [], {}, []), any_config)
    heads = {"binary": ("ROC AUC falls for two weeks", "0.075"), "regression": ("MAE rises for two weeks", "7.5 %")}
    assert all(head in text for head in heads[any_config.label.kind])


def test_units_of_the_columns_that_have_some_are_mistaken(scores: Scores, config: Config) -> None:
    rows = scores.rows.head(ROWS)
    usual = Monitor(scores, config).usual(START + pd.Timedelta(days=60))
    assert usual
    unit = Unit("°F as °C", "heat|glow", 1 / 1.8, 32.0)
    cases = [case for case in shifts_of(usual, rows, scores, config, [], [unit]) if case.kind == "°F as °C"]
    assert [case.columns for case in cases] == [("heat",), ("glow",)]
    changed = cases[0].change(rows, np.random.default_rng(1))
    assert changed["heat"].to_numpy() == pytest.approx((rows["heat"].to_numpy() - 32) * 5 / 9)
    assert not [case for case in shifts_of(usual, rows, scores, config, [], []) if case.kind == "°F as °C"]


def test_a_large_decline_is_named_and_one_bad_day_is_not(any_config: Config) -> None:
    scores = made(any_config)
    drops, bad_days, alarms = decline_power(scores, any_config, 5, 0.3)
    assert (drops.named, drops.cases) == (5, 5)
    assert bad_days.named < drops.named
    assert alarms <= 2
    of_slice, _, _ = decline_power(scores, any_config, 5, 0.3, "plant", "north")
    assert of_slice.named == 5
    assert {(key, value) for key, value, _ in slices_of(scores, any_config)} == {("plant", "north"), ("plant", "south")}


def test_a_decline_is_for_the_worse_and_knows_no_unit_where_the_label_has_one(any_config: Config) -> None:
    quality = pd.Series([0.6, 0.8])
    expected = {"binary": [0.5, 0.7], "regression": [0.67, 0.87]}[any_config.label.kind]  # a tenth of 0.7 on average
    assert list(fallen(quality, 0.1, any_config.label)) == pytest.approx(expected)
