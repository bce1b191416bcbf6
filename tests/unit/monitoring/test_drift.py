"""Drift figures, recomputed with numpy and scipy."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import jensenshannon

from monitoring.column_profile import profile_columns
from monitoring.columns import WatchedColumns
from monitoring.drift import EMPTY_BIN_SHARE, drift
from monitoring.windows import Window

START = datetime(2013, 8, 1, tzinfo=UTC)
WINDOW = Window(START, START + timedelta(days=2))
NUMBERS = ("normal", "with_nulls", "tied", "constant", "unknown_before")
COLUMNS = WatchedColumns(NUMBERS, ("carrier",))


def expected_shares(before: pd.Series, now: pd.Series, numeric: bool) -> tuple[np.ndarray, np.ndarray]:
    """Shares by bin, the slow and plain way."""
    if not numeric:
        names = sorted(set(before.dropna()) | set(now.dropna()))
        return tuple(np.array([(s == n).mean() for n in names] + [s.isna().mean()]) for s in (before, now))
    edges = np.quantile(before.dropna(), np.linspace(0, 1, 11)) if before.notna().any() else None

    def shares(values: pd.Series) -> np.ndarray:
        counts = np.zeros(13)
        for value in values:
            if np.isnan(value):
                counts[12] += 1
            elif edges is None or value > edges[10]:
                counts[11] += 1
            elif value < edges[0]:
                counts[0] += 1
            else:
                counts[max(1, int(np.searchsorted(edges, value, side="left")))] += 1
        return counts / len(values)

    return shares(before), shares(now)


def population_stability(p: np.ndarray, q: np.ndarray) -> float:
    used = (p > 0) | (q > 0)
    p, q = np.maximum(p[used], EMPTY_BIN_SHARE), np.maximum(q[used], EMPTY_BIN_SHARE)
    return float(np.sum((q - p) * np.log(q / p)))


@pytest.fixture(scope="module")
def frames() -> tuple[pd.DataFrame, pd.DataFrame]:
    random = np.random.default_rng(7)

    def frame(rows: int, mean: float, null_share: float, constant: float) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "normal": random.normal(mean, 1, rows),
                "with_nulls": np.where(random.uniform(size=rows) < null_share, np.nan, random.normal(0, 1, rows)),
                "tied": random.choice([0.0, 0.0, 0.0, 1.0, 2.0], rows),
                "constant": constant,
                "unknown_before": np.nan if mean == 0 else 1.0,
                "carrier": random.choice(["UA", "AA", "B6"] if mean == 0 else ["UA", "AA", "HA"], rows),
                "model_version": "1",
            }
        )

    before, now = frame(400, 0.0, 0.1, 5.0), frame(150, 0.8, 0.3, 4.0)
    now.loc[now.index[:5], "carrier"] = None
    return before, now


@pytest.fixture(scope="module")
def figures(spark, frames):
    """Drift of version 1, of version 2 (it saw the very rows of its baseline), of version 3 (it has none)."""
    before, now = frames
    baselines = pd.concat([before, before.assign(model_version="2")])
    july = "named_struct('start', timestamp'2013-07-01', 'end', timestamp'2013-08-01') AS window"
    baseline = spark.createDataFrame(baselines).selectExpr("*", july)
    asked = [START + timedelta(minutes=place * 15) for place in range(len(now))]
    same = before.assign(prediction_at=START, model_version="2")
    logged = [now.assign(prediction_at=asked), same, now.assign(prediction_at=asked, model_version="3")]
    log = spark.createDataFrame(pd.concat(logged))
    deciles = profile_columns(baseline, ["model_version"], COLUMNS).filter("quantiles IS NOT NULL")
    found = (
        drift(log, baseline, deciles, WINDOW, WINDOW.end, COLUMNS)
        .selectExpr("*", "day(window.start) AS day")
        .toPandas()
    )
    return {(row.model_version, row.granularity, row.day, row.column_name): row for row in found.itertuples()}


@pytest.mark.parametrize("column", [*NUMBERS, "carrier"])
@pytest.mark.parametrize(
    "rows", [("2 days", 1, slice(0, 150)), ("1 day", 1, slice(0, 96)), ("1 day", 2, slice(96, 150))]
)
def test_figures_equal_an_independent_calculation(figures, frames, column, rows):
    granularity, day, part = rows
    before, now = frames
    p, q = expected_shares(before[column], now[column].iloc[part], numeric=column in NUMBERS)
    found = figures["1", granularity, day, column]
    assert found.population_stability_index == pytest.approx(population_stability(p, q), abs=1e-8)
    assert found.js_distance == pytest.approx(jensenshannon(p, q), abs=1e-7)
    assert found.percent_null_delta == pytest.approx(100 * (q[-1] - p[-1]), abs=1e-8)


def test_a_constant_that_moves_is_the_greatest_drift(figures):
    assert figures["1", "2 days", 1, "constant"].js_distance == pytest.approx(np.sqrt(np.log(2)), abs=1e-8)


def test_no_drift_of_the_baseline_from_itself(figures):
    own = [row for key, row in figures.items() if key[0] == "2"]
    assert len(own) == 2 * 6
    assert all(row.population_stability_index == 0 and row.js_distance < 1e-6 for row in own)


def test_a_version_without_a_baseline_has_no_drift(figures):
    assert {key[0] for key in figures} == {"1", "2"}
