"""What is usual, of a log and the baselines of three versions, beside the same worked out in pandas."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from monitoring import reference
from monitoring.columns import WatchedColumns
from monitoring.drift import Days
from monitoring.reference import Reference, read_reference
from project.config import Config
from project.tables import Tables
from tests.homes import Home
from tests.unit.monitoring.conftest import CONFIG, LABEL, SUBJECT, scored
from tests.unit.tables import InputTables

PREDICTION = CONFIG.prediction.column
NUMERIC, TEXTS = ("weight", "distance", PREDICTION), ("region", "shop")
COLUMNS = WatchedColumns(NUMERIC, TEXTS)
FIRST = datetime(2024, 7, 1, tzinfo=UTC)
# Of each day, rows in the log by the version that scored them, and in the baselines by the version that was judged.
LOG = [
    *[{"1": 100}] * 3,
    {"1": 30},
    *[{"1": 100}] * 5,
    {"1": 100, "2": 40},
    *[{"2": 100}] * 4,
]
BASELINES = [*[{}] * 5, *[{"2": 90}] * 3, {"2": 90, "3": 90}, {"2": 20}, {}, {"3": 80}, {"3": 80, "4": 90}, {"4": 90}]
# Whose rows are those of a day, as version 3 sees it: day 3 has few, day 9 is cut off in the baseline, 13 came later.
OWNERS = {
    **dict.fromkeys((0, 1, 2, 4, 9), ("log", "1")),
    **dict.fromkeys((5, 6, 7), ("baseline", "2")),
    **dict.fromkeys((8, 11, 12), ("baseline", "3")),
    10: ("log", "2"),
}


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """All rows; `of` is the table that they are in. Each tenth has no shop."""
    parts = []
    for of, days in (("log", LOG), ("baseline", BASELINES)):
        for day, counts in enumerate(days):
            for version, count in counts.items():
                start = FIRST + timedelta(days=day)
                made = scored(count, start, 1, start, seed=len(parts))
                names = {key: [f"{of}-{version}-{day}-{place}" for place in range(count)] for key in SUBJECT.key}
                parts.append(made.assign(of=of, day=start, model_version=version, **names))
    every = pd.concat(parts, ignore_index=True)
    return every.assign(shop=every["shop"].mask(every.index % 10 == 0))


@pytest.fixture(scope="module")
def tables(home: Home, spark: SparkSession, inputs: InputTables, rows: pd.DataFrame) -> Iterator[Tables]:
    with home.schema(spark, "reference") as tables:
        for table, of in ((tables.inference_log, "log"), (tables.inference_baseline, "baseline")):
            inputs.write_frame(table, rows[rows["of"] == of].drop(columns=["of", "day"]))
        yield tables


@pytest.fixture(scope="module")
def settings(config: Config) -> Config:
    return config.model_copy(
        update={"monitoring": config.monitoring.model_copy(update={"min_labelled_rows": 50}), "slices": ("region",)}
    )


@pytest.fixture(scope="module")
def expected(rows: pd.DataFrame) -> pd.DataFrame:
    number = (rows["day"] - FIRST).dt.days
    owners = pd.MultiIndex.from_tuples([(day, *owner) for day, owner in OWNERS.items()])
    return rows[pd.MultiIndex.from_arrays([number, rows["of"], rows["model_version"]]).isin(owners)]


def test_a_day_is_of_the_newest_baseline_that_has_it_else_of_the_version_that_scored_most(
    spark: SparkSession, tables: Tables, settings: Config, expected: pd.DataFrame
) -> None:
    found = read_reference(spark, tables, "3", COLUMNS, settings)
    days = Days.of(expected, expected["day"], NUMERIC, TEXTS)
    assert len(days.numbers) == len(OWNERS)
    for measured, known in ((found.days.numbers, days.numbers), (found.days.shares, days.shares)):
        pd.testing.assert_frame_equal(
            measured,
            known.sort_index(axis=1)[measured.columns],
            check_names=False,
            check_freq=False,
            check_index_type=False,
        )
    answers = [PREDICTION, LABEL.column, "region"]
    assert same(found.answers.rows[answers], expected[answers])
    assert same(found.inputs.rows[[*NUMERIC]], expected[[*NUMERIC]])
    assert sorted(found.answers.day) == sorted(expected["day"])


def same(found: pd.DataFrame, known: pd.DataFrame) -> bool:
    names = list(known.columns)
    return found[names].sort_values(names, ignore_index=True).equals(known.sort_values(names, ignore_index=True))


def test_of_many_rows_some_are_drawn_the_same_each_time_and_the_figures_are_of_all(
    spark: SparkSession,
    tables: Tables,
    settings: Config,
    expected: pd.DataFrame,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reference, "_INPUTS_A_DAY", 10)
    monkeypatch.setattr(reference, "_ANSWERS_A_DAY", 40)
    first, second = (read_reference(spark, tables, "3", COLUMNS, settings) for _ in range(2))
    pd.testing.assert_frame_equal(first.inputs.rows, second.inputs.rows)
    # Of 12 days, 10 and 40 rows; the draw of each row is its own.
    assert 80 < len(first.inputs.rows) < 160
    assert 400 < len(first.answers.rows) < 560
    assert first.inputs.rows[PREDICTION].isin(expected[PREDICTION]).all()
    whole = Days.of(expected, expected["day"], NUMERIC, TEXTS)
    assert first.days.numbers["avg"]["weight"].to_numpy() == pytest.approx(whole.numbers["avg"]["weight"].to_numpy())


def test_without_a_baseline_nothing_is_usual(spark: SparkSession, tables: Tables, settings: Config) -> None:
    found: Reference = read_reference(spark, tables, "1", COLUMNS, settings)
    assert (len(found.days.index), len(found.inputs.rows), len(found.answers.rows)) == (0, 0, 0)
