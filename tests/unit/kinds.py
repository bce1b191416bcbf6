"""The configuration with a label of either kind: what depends on the kind is tested with both."""

from typing import Any

from project.config import Config, load_config

KINDS = ("binary", "regression")


def make_config(kind: str) -> Config:
    """The use case's own, which is binary, or with a number of minutes to predict; each with bounds on all it can."""
    content = load_config().model_dump()
    (_predict_minutes if kind == "regression" else _bound_probabilities)(content)
    content["validation"]["performance"]["min_rows"], content["validation"]["slices"]["min_rows"] = 1000, 300
    return Config.model_validate(content)


def _bound_probabilities(content: dict[str, Any]) -> None:
    gates = content["validation"]
    gates["performance"]["thresholds"] = [
        _at_least("roc_auc", 0.65),
        _at_most("roc_auc", 0.92),
        _at_least("pr_auc", 0.3),
        _at_most("brier", 0.22),
        _at_most("log_loss", 0.63),
        _at_most("calibration_error", 0.1),
        _at_least("brier_skill", 0.0),
        _at_least("log_loss_skill", 0.0),
    ]
    gates["performance"]["against_champion"] = [
        {"metric": "roc_auc", "greater_is_better": True, "max_decline": 0.01},
        {"metric": "pr_auc", "greater_is_better": True, "max_decline": 0.02},
        _behind("brier", 0.003),
        _behind("log_loss", 0.008),
        _behind("calibration_error", 0.04),
    ]
    gates["slices"] |= {"floor": _at_least("log_loss_skill", -0.2), "against_champion": _behind("log_loss", 0.03)}


def _predict_minutes(content: dict[str, Any]) -> None:
    label = {name: content["label"][name] for name in ("column", "outcome", "other_outcomes")}
    content["label"] = label | {"kind": "regression", "quantity": "duration", "unit": "minutes", "least": 0.0}
    gates = content["validation"]
    gates["performance"]["thresholds"] = [
        _at_most("mae", 5.0),
        _at_least("mae", 0.5),
        _at_most("rmse", 8.0),
        _at_most("absolute_bias", 2.0),
        _at_least("r2", 0.1),
    ]
    gates["performance"]["against_champion"] = [
        _behind("mae", 0.1),
        _behind("rmse", 0.2),
        _behind("absolute_bias", 0.5),
        {"metric": "r2", "greater_is_better": True, "max_decline": 0.02},
    ]
    gates["slices"] |= {"floor": _at_least("r2", -0.2), "against_champion": _behind("mae", 0.5)}
    gates["data"] |= {"mean_label": (1.0, 60.0), "optimism": _behind("mae", 2.0)}
    for check in content["monitoring"]["checks"]:
        if check["metric"] in {"roc_auc", "log_loss_skill"}:
            check.update(_at_most("mae", 10.0))


def _at_least(metric: str, threshold: float) -> dict[str, Any]:
    return {"metric": metric, "greater_is_better": True, "threshold": threshold}


def _at_most(metric: str, threshold: float) -> dict[str, Any]:
    return {"metric": metric, "greater_is_better": False, "threshold": threshold}


def _behind(metric: str, max_decline: float) -> dict[str, Any]:
    return {"metric": metric, "greater_is_better": False, "max_decline": max_decline}
