"""The same figures by slices, such as regions or hours: a good mean must not hide where a model is bad."""

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from project.config import Bands, Config, Threshold
from project.kinds.label import Label
from project.registry import CHALLENGER, CHAMPION
from validation.gates import SLICES, Gate

EVERYTHING = ""
UNKNOWN = "unknown"
GROUP = ("role", "slice_key", "slice_value")


def slice_values(rows: pd.DataFrame, columns: Sequence[str], bands: Sequence[Bands]) -> pd.DataFrame:
    """Which slice each row is in, a column a kind of slice; a value that is missing, or in no band, is 'unknown'."""
    plain = {name: rows[name].astype("object").fillna(UNKNOWN) for name in columns}
    banded = {one.name: _band(rows[one.column], one) for one in bands}
    return pd.DataFrame(plain | banded, index=rows.index)


def measure(label: pd.Series, predictions: Mapping[str, pd.Series], slices: pd.DataFrame, kind: Label) -> pd.DataFrame:
    """The figures of each role over all rows and over each slice.

    Args:
        label: what happened, row by row.
        predictions: of each role.
        slices: as `slice_values` gives them.
        kind: of the label: it says what the figures are.

    Returns:
        `role`, `slice_key` and `slice_value` (both empty: all rows), and one column a metric of the kind.
    """
    groups = [(EVERYTHING, EVERYTHING, label.index)] if len(label) else []
    for key in slices.columns:
        groups += [(key, str(value), index) for value, index in slices.groupby(key, sort=True).groups.items()]
    records = [
        dict(zip(GROUP, (role, key, value), strict=True)) | kind.measure(label[index], prediction[index])
        for role, prediction in predictions.items()
        for key, value, index in groups
    ]
    return pd.DataFrame(records, columns=[*GROUP, *kind.metrics])


def figures_of(measured: pd.DataFrame, role: str) -> dict[str, float]:
    """The figures of a role over all rows; none where there are no rows."""
    whole = measured[(measured["role"] == role) & (measured["slice_key"] == EVERYTHING)]
    figures = whole.drop(columns=[*GROUP]).head(1)
    return {str(name): float(value) for name, values in figures.items() for value in values}


def judge_slices(measured: pd.DataFrame, config: Config) -> Iterator[Gate]:
    """For each kind of slice: its worst against the floor, and the one that is furthest behind the champion.

    A slice of too few rows is named, and not judged.

    Args:
        measured: as `measure` gives it.
        config: what is allowed.
    """
    bounds, plural = config.validation.slices, config.subject.plural
    floor, allowed = bounds.floor, bounds.against_champion
    sliced = measured[measured["slice_key"] != EVERYTHING]
    for key, both in sliced.groupby("slice_key", sort=False):
        own, others = (both[both["role"] == role].set_index("slice_value") for role in (CHALLENGER, CHAMPION))
        large = own["rows"] >= bounds.min_rows
        small = ", ".join(f"{value} ({rows:,.0f})" for value, rows in own.loc[~large, "rows"].items())
        note = f"; too small to judge, under {bounds.min_rows:,} {plural}: {small}" if small else ""
        yield _worst(str(key), f"{floor.metric}", own.loc[large, floor.metric], floor, note)
        if not others.empty:
            behind = own[allowed.metric] - others[allowed.metric]
            decline = -behind if allowed.greater_is_better else behind
            bound = Threshold(metric=allowed.metric, greater_is_better=False, threshold=allowed.max_decline)
            yield _worst(str(key), f"{allowed.metric} behind champion", decline[large], bound, note)


def _worst(key: str, what: str, figures: pd.Series, bound: Threshold, note: str) -> Gate:
    name = f"{what} by {key}"
    if figures.empty:
        sentence = f"no {key} has enough rows{note}"
        return Gate(SLICES, name, True, float("nan"), bound.threshold, sentence)
    good = figures.map(bound.holds)
    place, value = _last(figures, bound)
    failing = ", ".join(map(str, figures[~good].index))
    side = "at least" if bound.greater_is_better else "at most"
    sentence = f"{what} is worst in {place}: {value:.4f}, {side} {bound.threshold:.4f} is needed"
    sentence += f"; not so: {failing}" if failing else ""
    return Gate(SLICES, name, bool(good.all()), value, bound.threshold, sentence + note)


def _last(figures: pd.Series, bound: Threshold) -> tuple[str, float]:
    """The slice of the worst figure, and that; one without a figure is worse than any."""
    ordered = figures.sort_values(ascending=bound.greater_is_better, na_position="first", kind="stable")
    return str(ordered.index[0]), float(ordered.iloc[0])


def _band(values: pd.Series, bands: Bands) -> pd.Series:
    cut = pd.cut(values, list(bands.edges), right=False, labels=list(bands.labels))
    return cut.astype("object").fillna(UNKNOWN)
