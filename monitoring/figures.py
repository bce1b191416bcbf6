"""Figures of the predictions that data profiling does not have by itself, as its custom metrics: SQL aggregates.

The monitor computes each for every day, slice and version, in a workspace as on one machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from monitoring.ground_truth import log_outcomes
from project.config import Config
from project.kinds.label import PENDING, rounded
from project.tables import quoted

TABLE = ":table"
NEWEST = "newest_prediction"
LABELLED, LABEL_SHARE = "labelled_rows", "label_share"


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
    `newest_prediction` (seconds since 1970, UTC), and of the labelled rows the `aggregates` of the label's kind.

    Args:
        config: names the columns and the outcomes.
    """
    label, prediction = quoted(config.label.column), quoted(config.prediction.column)
    share = rounded(f"count_if(outcome <> '{PENDING}') / count(*)")
    moment = quoted(config.subject.prediction_time)
    of_kind = config.label.aggregates(label, prediction, moment)
    return {
        LABELLED: Aggregate(f"count({label})", "long"),
        NEWEST: Aggregate(f"unix_timestamp(max({moment}))", "long"),
        **{name: Aggregate(f"count_if(outcome = '{name}')", "long") for name in log_outcomes(config)},
        **{name: Aggregate(definition) for name, definition in {LABEL_SHARE: share, **of_kind}.items()},
    }
