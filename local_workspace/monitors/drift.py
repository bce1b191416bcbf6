"""How far the values of a day lie from the baseline's, column by column; runs in Spark's Python workers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.spatial.distance import chebyshev, cityblock, jensenshannon
from scipy.stats import chi2_contingency, ks_2samp, wasserstein_distance

# Stands for a share of 0 in the index, whose logarithm has no value there: one row in ten thousand.
EMPTY_BIN_SHARE = 1e-4
# A column of more texts is a name of its row, whose distribution says nothing.
MOST_CATEGORIES = 200
_DECIMALS = 9
_SHARES = np.linspace(0, 1, 11)
_MOMENT = pa.timestamp("us", tz="UTC")
_TEST = pa.struct([("statistic", pa.float64()), ("pvalue", pa.float64())])
SCHEMA = pa.schema(
    [
        ("window", pa.struct([("start", _MOMENT), ("end", _MOMENT)])),
        ("model_id", pa.string()),
        ("column_name", pa.string()),
        ("data_type", pa.string()),
        *((name, pa.float64()) for name in ("count_delta", "avg_delta", "percent_null_delta", "js_distance")),
        ("population_stability_index", pa.float64()),
        ("ks_test", _TEST),
        ("wasserstein_distance", pa.float64()),
        ("chi_squared_test", _TEST),
        ("tv_distance", pa.float64()),
        ("l_infinity_distance", pa.float64()),
    ]
)

type Figures = dict[str, Any]


def measure_days(log: pd.DataFrame, baseline: pd.DataFrame, numeric: Sequence[str], texts: Sequence[str]) -> pa.Table:
    """The drift of one model version.

    Args:
        log: its rows, with `_day` (the start of the window) and `_model`.
        baseline: the rows that they are compared with.
        numeric: the columns of numbers.
        texts: the columns of texts.

    Returns:
        A row (of `SCHEMA`) a day and column; none where log or baseline is empty.
    """
    if log.empty or baseline.empty:
        return SCHEMA.empty_table()
    before = {name: baseline[name] for name in texts if baseline[name].nunique() <= MOST_CATEGORIES}
    numbers = {name: Reference.of(baseline[name].to_numpy(float)) for name in numeric}
    found = []
    for day, rows in log.groupby("_day"):
        start = pd.Timestamp(str(day))
        group = {"window": {"start": start, "end": start + timedelta(days=1)}, "model_id": str(rows["_model"].iloc[0])}
        for name, values in numbers.items():
            found.append(group | {"column_name": name} | compare_numbers(values, rows[name].to_numpy(float)))
        for name, texts_before in before.items():
            found.append(group | {"column_name": name} | compare_texts(texts_before, rows[name]))
    return pa.Table.from_pylist(found, schema=SCHEMA)


@dataclass(frozen=True)
class Reference:
    """A sample of numbers that others are compared with, prepared once.

    Attributes:
        rows: how many values, NULLs among them.
        known: the values that are not NULL, sorted.
        mean: theirs; NaN where there is none.
        edges: their deciles; empty where there is none.
        shares: of the sample, by the bins between the edges, below and above them, and NULL.
    """

    rows: int
    known: np.ndarray
    mean: float
    edges: np.ndarray
    shares: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> Self:
        """From numbers, NaN where a value is NULL."""
        known = np.sort(values[~np.isnan(values)])
        edges = np.quantile(known, _SHARES) if known.size else np.array([])
        mean = float(known.mean()) if known.size else math.nan
        return cls(values.size, known, mean, edges, _shares(known, values.size, edges))


def compare_numbers(before: Reference, now: np.ndarray) -> Figures:
    """A sample of numbers with a reference, NaN where a value is NULL.

    Bins lie between the deciles of `before`; what is below its least and above its greatest value has a bin each, and
    so have NULLs.

    Returns:
        `count_delta` (values), `avg_delta`, `percent_null_delta` (percentage points), now minus before;
        `population_stability_index` and `js_distance` of the bins; `ks_test` (asymptotic) and `wasserstein_distance`
        of the values, None where either has none.
    """
    known_before, known_now = before.known, now[~np.isnan(now)]
    figures = _deltas(before.rows, known_before.size, now.size, known_now.size) | {"data_type": "double"}
    figures |= _of_shares(before.shares, _shares(known_now, now.size, before.edges))
    if not (known_before.size and known_now.size):
        return figures
    test = ks_2samp(known_before, known_now, method="asymp")
    return figures | {
        "avg_delta": _rounded(known_now.mean() - before.mean),
        "ks_test": {"statistic": _rounded(test.statistic), "pvalue": float(test.pvalue)},
        "wasserstein_distance": _rounded(wasserstein_distance(known_before, known_now)),
    }


def compare_texts(before: pd.Series, now: pd.Series) -> Figures:
    """Two samples of texts; each text is a bin, and so is NULL.

    Returns:
        The deltas, `population_stability_index` and `js_distance` as of numbers, `chi_squared_test` (of the counts, as
        a contingency table), `tv_distance` (total variation) and `l_infinity_distance` of the shares.
    """
    figures = _deltas(before.size, int(before.count()), now.size, int(now.count())) | {"data_type": "string"}
    names = pd.Index(before.dropna().unique()).union(now.dropna().unique())
    counts = [_counts(values, names) for values in (before, now)]
    p, q = (values / values.sum() for values in counts)
    occurring = np.array(counts)[:, (counts[0] + counts[1]) > 0]
    test = chi2_contingency(occurring, correction=False)
    return (
        figures
        | _of_shares(p, q)
        | {
            "chi_squared_test": {"statistic": _rounded(test.statistic), "pvalue": float(test.pvalue)},
            "tv_distance": _rounded(cityblock(p, q) / 2),
            "l_infinity_distance": _rounded(chebyshev(p, q)),
        }
    )


def population_stability_index(p: np.ndarray, q: np.ndarray) -> float:
    """The sum over bins of (q - p) ln(q / p), each share at least 0.0001 (Siddiqi, Credit Risk Scorecards, 2006).

    Args:
        p: the baseline's shares.
        q: the other's.
    """
    used = (p > 0) | (q > 0)
    least_p, least_q = (np.maximum(shares[used], EMPTY_BIN_SHARE) for shares in (p, q))
    return float(np.sum((least_q - least_p) * np.log(least_q / least_p)))


def _of_shares(p: np.ndarray, q: np.ndarray) -> Figures:
    distance = float(jensenshannon(p, q))
    return {
        "population_stability_index": _rounded(population_stability_index(p, q)),
        # Of equal shares, rounding may leave the root of something below 0.
        "js_distance": 0.0 if np.isnan(distance) else _rounded(distance),
    }


def _deltas(before: int, known_before: int, now: int, known_now: int) -> Figures:
    nulls = 100 * (1 - known_now / now) - 100 * (1 - known_before / before)
    return {"count_delta": float(known_now - known_before), "percent_null_delta": _rounded(nulls)}


def _shares(known: np.ndarray, rows: int, edges: np.ndarray) -> np.ndarray:
    """Below the baseline, its deciles, above it, NULL; a baseline of NULLs alone has one bin for all values."""
    place = np.searchsorted(edges[1:], known) + (known >= edges[0]) if edges.size else np.zeros(known.size, int)
    counts = np.bincount(place, minlength=_SHARES.size + 1)
    return np.append(counts, rows - known.size) / rows


def _counts(values: pd.Series, names: pd.Index) -> np.ndarray:
    known = values.value_counts().reindex(names, fill_value=0).to_numpy(float)
    return np.append(known, float(values.isna().sum()))


def _rounded(value: float) -> float:
    return round(float(value), _DECIMALS)
