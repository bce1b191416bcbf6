"""What names a row of each table, and what may differ between two runs of one commit: where, how far, and why."""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from tests.engines.comparison import ALL_FLOATS, Rule, Rules

# Of a table that is not here, all columns that hold no floats name a row together.
KEYS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "aircraft_features": ("tailnum", "known_at"),
        "airports": ("faa",),
        "carrier_features": ("carrier", "known_at"),
        "congestion_features": ("origin", "known_at"),
        "flights": ("flight_id",),
        "inference_baseline": ("flight_id", "model_version", "as_of"),
        "inference_log": ("flight_id", "model_version", "as_of"),
        "inference_log_drift_metrics": ("window", "model_version", "column_name"),
        "inference_log_profile_metrics": (
            "window",
            "model_version",
            "log_type",
            "column_name",
            "slice_key",
            "slice_value",
        ),
        "labels": ("flight_id",),
        "latest_predictions": ("flight_id",),
        "leg_features": ("tailnum", "known_at"),
        "monitoring_verdicts": ("as_of", "check_name", "column_name", "slice_key", "slice_value", "model_version"),
        "planes": ("tailnum", "known_at"),
        "predictions": ("flight_id", "model_version", "as_of"),
        "promotions": ("model_name", "move", "status"),
        "quarantine": ("source", "landed_as_of", "reason", "row"),
        "refreshed_tables": ("table",),
        "route_features": ("origin", "dest", "known_at"),
        "validation_metrics": ("role", "slice_key", "slice_value", "model_version", "as_of"),
        "validation_scores": ("flight_id", "model_version", "as_of"),
        "validation_verdicts": ("model_version", "as_of"),
        "weather": ("origin", "observed_at"),
        "weather_features": ("origin", "known_at"),
        "the champion": ("model",),
        "landed files": ("file",),
        "reports": ("report", "line"),
    }
)


def but_for_latency(gates: str) -> list[dict[str, object]]:
    """The gates of a verdict; of the one that a clock decides, whether it passed."""
    return [
        gate | {"value": None, "sentence": None} if gate["name"] == "latency" else gate for gate in json.loads(gates)
    ]


def _ignored(reason: str) -> Rule:
    return Rule(reason, ignored=True)


_SCORE = Rule("a model's fit and its answers add up numbers in the order of its threads", relative=1e-9)
_OF_SCORES = Rule("computed from predictions, as sums in an order that the engine chooses", relative=1e-9)
_OF_LATENCY = _ignored("a digest of the verdict, in which there is the time that scoring took")

MAY_DIFFER: Mapping[str, Mapping[str, Rule]] = MappingProxyType(
    {
        "inference_baseline": {"prediction": _SCORE},
        "inference_log": {"prediction": _SCORE},
        "inference_log_drift_metrics": {ALL_FLOATS: _OF_SCORES},
        "inference_log_profile_metrics": {
            ALL_FLOATS: _OF_SCORES,
            "distinct_count": Rule(
                "each engine's own estimate: of 725 aircraft in a day, Sail counts 730 and Spark 836", relative=0.2
            ),
        },
        "latest_predictions": {"prediction": _SCORE},
        "monitoring_verdicts": {"value": _OF_SCORES},
        "predictions": {"prediction": _SCORE},
        "promotions": {
            "at": _ignored("a clock"),
            "run_id": _ignored("the job run's id, made of the time"),
            "token": _ignored("random: it tells one run's row from another's"),
            "verdict_digest": _OF_LATENCY,
        },
        "validation_metrics": {ALL_FLOATS: _OF_SCORES},
        "validation_scores": {"prediction": _SCORE},
        "validation_verdicts": {
            "digest": _OF_LATENCY,
            "gates": Rule(
                "figures of predictions, as JSON; and the time that scoring took", 1e-9, read=but_for_latency
            ),
        },
        "the champion": {ALL_FLOATS: _OF_SCORES, "tag validation_digest": _OF_LATENCY},
    }
)


def rules_of(table: str) -> Rules:
    """How a table is compared."""
    return Rules(KEYS.get(table, ()), MAY_DIFFER.get(table, {}))
