"""Figures of the predictions that data profiling does not have by itself, as its custom metrics: SQL aggregates.

The monitor computes each for every day, slice and version, in a workspace as on one machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from monitoring.ground_truth import OUTCOMES, PENDING
from project.config import Config
from project.tables import quoted

TABLE = ":table"
NEWEST = "newest_prediction"
LABELLED, LABEL_SHARE = "labelled_rows", "label_share"
_DECIMALS = 9
# Keeps a certain prediction that was wrong from an infinite loss, as scikit-learn's log_loss does.
_LEAST = "1e-15D"


@dataclass(frozen=True)
class Aggregate:
    """A custom metric.

    Attributes:
        definition: the SQL aggregate.
        kind: its type in Spark's words.
    """

    definition: str
    kind: str = "double"


def aggregates(config: Config) -> Mapping[str, Aggregate]:
    """The custom metrics by name.

    `labelled_rows`, the rows by outcome, `label_share` (share of rows whose outcome is known, 0 to 1),
    `newest_prediction` (seconds since 1970, UTC); of the labelled rows `label_rate`, `mean_prediction`, `brier` (mean
    squared error), `log_loss` (nats) and `roc_auc` (NULL where there is one class alone).

    Args:
        config: names the label and the prediction.
    """
    label, prediction = quoted(config.label.column), quoted(config.prediction.column)
    likely = f"least(greatest({prediction}, {_LEAST}), 1 - {_LEAST})"
    counts = {name: Aggregate(f"count_if(outcome = '{name}')", "long") for name in OUTCOMES}
    figures = {
        LABEL_SHARE: f"count_if(outcome <> '{PENDING}') / count(*)",
        "label_rate": f"avg({label})",
        "mean_prediction": f"avg(CASE WHEN {label} IS NOT NULL THEN {prediction} END)",
        "brier": f"avg(power({prediction} - {label}, 2))",
        "log_loss": f"-avg({label} * ln({likely}) + (1 - {label}) * ln(1 - {likely}))",
        "roc_auc": _roc_auc(label, prediction),
    }
    return {
        LABELLED: Aggregate(f"count({label})", "long"),
        NEWEST: Aggregate("unix_timestamp(max(prediction_at))", "long"),
        **counts,
        **{name: Aggregate(f"round({definition}, {_DECIMALS})") for name, definition in figures.items()},
    }


def _roc_auc(label: str, prediction: str) -> str:
    """The share of pairs of a positive and a negative that are in order, a tie being half of one (Mann and Whitney,
    1947): over the rows by rising prediction, each group of ties is added once the next one begins."""
    pairs = f"collect_list(CASE WHEN {label} IS NOT NULL THEN struct({prediction} AS p, {label} AS y) END)"
    won = "s.won + s.pos * (s.below + s.neg / 2)"
    return f"""aggregate(
        sort_array({pairs}),
        named_struct('p', -1D, 'below', 0D, 'neg', 0D, 'pos', 0D, 'won', 0D),
        (s, x) -> CASE WHEN x.p = s.p
            THEN named_struct('p', s.p, 'below', s.below, 'neg', s.neg + 1 - x.y, 'pos', s.pos + x.y, 'won', s.won)
            ELSE named_struct('p', x.p, 'below', s.below + s.neg, 'neg', 1 - x.y, 'pos', x.y, 'won', {won}) END,
        s -> {won}
    ) / nullif(sum({label}) * sum(1 - {label}), 0)"""
