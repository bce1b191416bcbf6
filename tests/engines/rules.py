"""What names a row of each table, and what may differ between two runs of one commit: where, how far, and why."""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from project.config import load_config
from tests.engines.comparison import ALL_FLOATS, Rule, Rules
from use_case.registry import FEATURE_TABLES, label_table
from use_case.sources import SOURCES

_CONFIG = load_config()
_SUBJECT = _CONFIG.subject.key
_SCORED = (*_SUBJECT, "model_version", "as_of")

# Of a table that is not here, all columns that hold no floats name a row together.
KEYS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        # Those of the use case.
        **{table.name: table.primary_key for table in (*SOURCES, *FEATURE_TABLES, label_table(_CONFIG))},
        "inference_baseline": _SCORED,
        "inference_log": _SCORED,
        "inference_log_drift_metrics": ("window", "model_version", "column_name"),
        "inference_log_profile_metrics": (
            "window",
            "model_version",
            "log_type",
            "column_name",
            "slice_key",
            "slice_value",
        ),
        "latest_predictions": _SUBJECT,
        "monitoring_verdicts": ("as_of", "check_name", "column_name", "slice_key", "slice_value", "model_version"),
        "predictions": _SCORED,
        "promotions": ("model_name", "move", "status"),
        "quarantine": ("source", "landed_as_of", "reason", "row"),
        "refreshed_tables": ("table",),
        "validation_metrics": ("role", "slice_key", "slice_value", "model_version", "as_of"),
        "validation_scores": _SCORED,
        "validation_verdicts": ("model_version", "as_of"),
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
                "each engine's own estimate: of 725 categories in a day, Sail counts 730 and Spark 836", relative=0.2
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
