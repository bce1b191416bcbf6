"""Figures of a probability against what happened."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql.types import DoubleType, StructField, StructType
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from project.config import METRICS

CALIBRATION_BINS = 10


def binary_metrics(label: pd.Series, prediction: pd.Series) -> dict[str, float]:
    """Quality of predicted probabilities.

    Args:
        label: 0.0 or 1.0, no nulls.
        prediction: probability of 1, in the same order.

    Returns:
        `rows`, `label_rate`, `mean_prediction`; `roc_auc`, `pr_auc` (average precision), `brier` (mean squared error),
        `log_loss` (nats); the last two of a constant prediction of the label rate, as `*_base`; and the part of them
        that the model removes, as `*_skill` (1 - score / base); `calibration_error` (expected calibration error over
        ten bins of equal count: mean absolute difference between mean prediction and label rate, weighted by rows;
        Naeini et al., 2015). Figures that need both classes are NaN where only one is there.
    """
    rate = float(label.mean())
    figures = {"rows": float(len(label)), "label_rate": rate, "mean_prediction": float(prediction.mean())}
    figures["calibration_error"] = calibration_error(label, prediction)
    figures["brier"] = float(brier_score_loss(label, prediction))
    figures["log_loss"] = float(log_loss(label, prediction, labels=[0.0, 1.0]))
    if label.nunique() < 2:  # noqa: PLR2004 - both classes
        missing = ("roc_auc", "pr_auc", "brier_base", "log_loss_base", "brier_skill", "log_loss_skill")
        return figures | dict.fromkeys(missing, float("nan"))
    constant = pd.Series(rate, index=label.index)
    figures["roc_auc"] = float(roc_auc_score(label, prediction))
    figures["pr_auc"] = float(average_precision_score(label, prediction))
    figures["brier_base"] = float(brier_score_loss(label, constant))
    figures["log_loss_base"] = float(log_loss(label, constant))
    for name in ("brier", "log_loss"):
        figures[f"{name}_skill"] = 1 - figures[name] / figures[f"{name}_base"]
    return figures


def calibration_error(label: pd.Series, prediction: pd.Series) -> float:
    """Expected calibration error over bins of equal count; rows of one prediction are in one bin."""
    bins = calibration_bins(prediction.to_numpy())
    grouped = pd.DataFrame({"label": label, "prediction": prediction}).groupby(bins)
    gaps = (grouped["label"].mean() - grouped["prediction"].mean()).abs()
    return float((gaps * grouped.size()).sum() / len(label))


def calibration_bins(prediction: np.ndarray) -> np.ndarray:
    """The bin (1 to ten) of each prediction, of equal count; equal predictions are in one."""
    share = (rankdata(prediction) - 1) * CALIBRATION_BINS / max(len(prediction) - 1, 1)
    return np.asarray(np.maximum(np.ceil(share), 1))


def metrics_by(scores: DataFrame, keys: Sequence[str], label: str, prediction: str) -> DataFrame:
    """`binary_metrics` of each group of rows.

    Args:
        scores: rows with the keys, the label (no nulls) and the prediction.
        keys: columns that name a group.
        label: name of the label column.
        prediction: name of the prediction column.

    Returns:
        The keys and one column (double) a metric.
    """

    def measure(group: pd.DataFrame) -> pd.DataFrame:
        named = {key: group[key].iloc[0] for key in keys}
        return pd.DataFrame([named | binary_metrics(group[label], group[prediction])])[[*keys, *METRICS]]

    fields = [*(scores.schema[key] for key in keys), *(StructField(name, DoubleType()) for name in METRICS)]
    return scores.select(*keys, label, prediction).groupBy(*keys).applyInPandas(measure, StructType(fields))
