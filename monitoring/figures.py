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
LABELLED, LABEL_SHARE, EXPECTED_AUC = "labelled_rows", "label_share", "expected_roc_auc"
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
    squared error), `log_loss` (nats), `roc_auc` (NULL where there is one class alone) and
    `expected_roc_auc` (what it would be if each probability were true).

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
        "roc_auc": f"{_pairs_in_order(label, prediction, label, 'y')} / nullif(sum({label}) * sum(1 - {label}), 0)",
        EXPECTED_AUC: _expected_roc_auc(label, prediction),
    }
    return {
        LABELLED: Aggregate(f"count({label})", "long"),
        NEWEST: Aggregate("unix_timestamp(max(prediction_at))", "long"),
        **counts,
        **{name: Aggregate(f"round({definition}, {_DECIMALS})") for name, definition in figures.items()},
    }


def _expected_roc_auc(label: str, prediction: str) -> str:
    """The pairs of two rows alone, each weighed by how probable it is that one is positive and the other negative."""
    known = f"CASE WHEN {label} IS NOT NULL THEN {prediction} END"
    itself = f"sum({known} * (1 - {known}))"
    every = f"sum({known}) * sum(1 - ({known})) - {itself}"
    return f"({_pairs_in_order(label, prediction, prediction, 'q')} - {itself} / 2) / nullif({every}, 0)"


def _pairs_in_order(label: str, prediction: str, positive: str, y: str) -> str:
    """How many pairs of a positive and a negative are in order, a tie being half of one (Mann and Whitney, 1947): over
    the labelled rows by rising prediction, each group of ties is added once the next one begins.

    Args:
        label: is NULL where a row does not count.
        prediction: the order.
        positive: how much of a positive each row is, 0 to 1; of a negative, the rest.
        y: a name for that: Spark tells two lists of one query apart by the names of their fields.
    """
    pairs = f"collect_list(CASE WHEN {label} IS NOT NULL THEN struct({prediction} AS p, {positive} AS {y}) END)"
    won = "s.won + s.pos * (s.below + s.neg / 2)"
    same = f"'p', s.p, 'below', s.below, 'neg', s.neg + 1 - x.{y}, 'pos', s.pos + x.{y}, 'won', s.won"
    return f"""aggregate(
        sort_array({pairs}),
        named_struct('p', -1D, 'below', 0D, 'neg', 0D, 'pos', 0D, 'won', 0D),
        (s, x) -> CASE WHEN x.p = s.p
            THEN named_struct({same})
            ELSE named_struct('p', x.p, 'below', s.below + s.neg, 'neg', 1 - x.{y}, 'pos', x.{y}, 'won', {won}) END,
        s -> {won}
    )"""
