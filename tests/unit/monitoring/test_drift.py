"""Drift figures, recomputed the slow and plain way."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from local_workspace.monitors.drift import EMPTY_BIN_SHARE, Reference, compare_numbers, compare_texts, measure_days

RANDOM = np.random.default_rng(7)
NUMBERS = {
    "normal": (RANDOM.normal(0, 1, 400), RANDOM.normal(0.8, 1, 150)),
    "with nulls": (
        np.where(RANDOM.uniform(size=400) < 0.1, np.nan, RANDOM.normal(0, 1, 400)),
        np.where(RANDOM.uniform(size=150) < 0.3, np.nan, RANDOM.normal(0, 1, 150)),
    ),
    "tied": (RANDOM.choice([0.0, 0.0, 0.0, 1.0, 2.0], 400), RANDOM.choice([0.0, 0.0, 1.0, 3.0], 150)),
    "constant": (np.full(400, 5.0), np.full(150, 4.0)),
    "unknown before": (np.full(400, np.nan), np.full(150, 1.0)),
    "unknown now": (RANDOM.normal(0, 1, 400), np.full(150, np.nan)),
}
TEXTS = (
    pd.Series(RANDOM.choice(["north", "south", "east"], 400)),
    pd.Series([*RANDOM.choice(["north", "south", "west"], 145), *[None] * 5]),
)


def plain_shares(before, now):
    """Shares by bin: below, ten deciles, above, NULL."""
    edges = np.quantile(before[~np.isnan(before)], np.linspace(0, 1, 11)) if (~np.isnan(before)).any() else None

    def shares(values):
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


def plain_index(p, q):
    pairs = [(max(a, EMPTY_BIN_SHARE), max(b, EMPTY_BIN_SHARE)) for a, b in zip(p, q, strict=True) if a or b]
    return sum((b - a) * np.log(b / a) for a, b in pairs)


def plain_distance(p, q):
    """The root of the mean of both divergences from the middle."""
    middle = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
    divergence = [sum(a * np.log(a / m) for a, m in zip(side, middle, strict=True) if a) for side in (p, q)]
    return np.sqrt(sum(divergence) / 2)


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_equal_an_independent_calculation(name):
    before, now = NUMBERS[name]
    p, q = plain_shares(before, now)
    found = compare_numbers(Reference.of(before), now)
    assert found["population_stability_index"] == pytest.approx(plain_index(p, q), abs=1e-8)
    assert found["js_distance"] == pytest.approx(plain_distance(p, q), abs=1e-7)
    assert found["percent_null_delta"] == pytest.approx(100 * (q[-1] - p[-1]), abs=1e-8)
    assert found["count_delta"] == np.sum(~np.isnan(now)) - np.sum(~np.isnan(before))


def test_the_distance_between_distributions_is_the_area_between_them():
    before, now = NUMBERS["normal"]
    grid = np.linspace(-6, 6, 200_001)
    gaps = np.searchsorted(np.sort(before), grid) / before.size - np.searchsorted(np.sort(now), grid) / now.size
    found = compare_numbers(Reference.of(before), now)
    assert found["wasserstein_distance"] == pytest.approx(np.trapezoid(np.abs(gaps), grid), abs=1e-3)
    assert found["ks_test"]["statistic"] == pytest.approx(np.abs(gaps).max(), abs=1e-9)
    assert found["ks_test"]["pvalue"] < 1e-6
    assert found["avg_delta"] == pytest.approx(now.mean() - before.mean())


def test_what_has_no_values_has_no_distance():
    for name in ("unknown before", "unknown now"):
        before, now = NUMBERS[name]
        assert "wasserstein_distance" not in compare_numbers(Reference.of(before), now)


def test_texts_equal_an_independent_calculation():
    before, now = TEXTS
    names = ["north", "south", "east", "west", None]
    counts = [[sum(v == n for v in values.where(values.notna(), None)) for n in names] for values in TEXTS]
    p, q = (np.array(c) / sum(c) for c in counts)
    found = compare_texts(before, now)
    assert found["population_stability_index"] == pytest.approx(plain_index(p, q), abs=1e-8)
    assert found["js_distance"] == pytest.approx(plain_distance(p, q), abs=1e-7)
    assert found["tv_distance"] == pytest.approx(sum(abs(a - b) for a, b in zip(p, q, strict=True)) / 2)
    assert found["l_infinity_distance"] == pytest.approx(max(abs(a - b) for a, b in zip(p, q, strict=True)))
    expected = np.array([[(sum(row) * (a + b)) / 550 for a, b in zip(*counts, strict=True)] for row in counts])
    statistic = ((np.array(counts) - expected) ** 2 / expected).sum()
    assert found["chi_squared_test"]["statistic"] == pytest.approx(statistic)
    assert found["chi_squared_test"]["pvalue"] == pytest.approx(stats.chi2.sf(statistic, 4), rel=1e-6)


def test_there_is_no_drift_from_itself():
    for values, _ in NUMBERS.values():
        found = compare_numbers(Reference.of(values), values)
        assert (found["population_stability_index"], found["js_distance"]) == (0, 0)
    same = compare_texts(TEXTS[0], TEXTS[0])
    assert (same["population_stability_index"], same["tv_distance"]) == (0, 0)


def test_each_day_is_compared_by_itself_and_ids_are_not():
    days = pd.to_datetime(["2024-08-01", "2024-08-02"], utc=True)
    log = pd.DataFrame({"_day": days.repeat(300), "_model": "7", "x": [*np.zeros(300), *np.ones(300)]})
    log["id"] = [f"row {place}" for place in range(600)]
    baseline = pd.DataFrame({"x": np.zeros(300), "id": log["id"][:300]})
    found = measure_days(log, baseline, ["x"], ["id"]).to_pylist()
    assert [(row["window"]["start"].day, row["column_name"]) for row in found] == [(1, "x"), (2, "x")]
    assert [row["wasserstein_distance"] for row in found] == [0, 1]
    assert measure_days(log, baseline[:0], ["x"], []).num_rows == 0
