"""A label that is 1.0 or 0.0, and its predicted probability."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field
from pyspark.sql import Column
from pyspark.sql import functions as F

from project.kinds.by_day import Figure, Scored, ratio
from project.kinds.label import DECIMALS, Curve, Label, Measure, Quality, rounded

CALIBRATION_BINS = 10
EXPECTED_AUC, TIME_EXCESS = "expected_roc_auc", "time_excess"
_EDGE = 1e-15
_BASES = ("brier", "log_loss")


def brier(scored: Scored) -> Figure:
    """Mean squared error."""
    return scored.mean((scored.prediction - scored.label) ** 2)


def log_loss(scored: Scored) -> Figure:
    """Mean negative log likelihood, nats."""
    given = np.clip(np.where(scored.label == 1, scored.prediction, 1 - scored.prediction), _EDGE, 1)
    return scored.mean(-np.log(given))


def roc_auc(scored: Scored) -> Figure:
    """Share of pairs (a 1, a 0) that are in order, ties by half, from the pairs between each two days."""
    positive, day = scored.label == 1, scored.day
    ranked, ranked_day = scored.prediction[positive], day[positive]
    wins = np.empty((scored.days, scored.days))
    for other in range(scored.days):
        lower = np.sort(scored.prediction[~positive & (day == other)])
        above = (np.searchsorted(lower, ranked, "left") + np.searchsorted(lower, ranked, "right")) / 2
        wins[:, other] = np.bincount(ranked_day, above, scored.days)
    ones, zeros = scored.sums(scored.label), scored.sums(1 - scored.label)
    return lambda counts: ratio(((counts @ wins) * counts).sum(axis=-1), (counts @ ones) * (counts @ zeros))


def pr_auc(scored: Scored) -> Figure:
    """Average precision: the mean of the precision at each 1, where equal predictions come at once."""
    order = np.argsort(-scored.prediction, kind="stable")
    label, day, prediction = scored.label[order], scored.day[order], scored.prediction[order]
    last = np.flatnonzero(np.append(np.diff(prediction) != 0, True))

    def figure(counts: np.ndarray) -> np.ndarray:
        weights = counts[:, day]
        found = np.cumsum(weights * label, axis=1)[:, last]
        seen = np.cumsum(weights, axis=1)[:, last]
        gained = np.diff(found, axis=1, prepend=0)
        precision = np.divide(found, seen, out=np.zeros_like(found), where=seen > 0)
        return ratio((precision * gained).sum(axis=1), found[:, -1])

    return figure


def calibration_error_by_day(scored: Scored) -> Figure:
    """As `calibration_error`, in the bins of all rows."""
    bins = calibration_bins(scored.prediction)
    gaps = np.column_stack([scored.sums((scored.label - scored.prediction) * (bins == one)) for one in np.unique(bins)])
    rows = scored.sums(np.ones_like(scored.label))
    return lambda counts: ratio(np.abs(counts @ gaps).sum(axis=-1), counts @ rows)


class Binary(Label):
    """A label that is 1.0 or 0.0; a prediction is the probability of 1."""

    kind: Literal["binary"]
    """1.0 or 0.0 is predicted, as a probability."""
    positives: str
    """What has the label 1.0, as a noun in the plural, such as 'late flights'."""
    positive_from: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """From this probability on, 1.0 is predicted: for the platform's own figures of classes."""

    metrics: ClassVar = (
        *("rows", "mean_label", "mean_prediction", "calibration_error", "brier", "log_loss"),
        *("roc_auc", "pr_auc", "brier_base", "log_loss_base", "brier_skill", "log_loss_skill"),
    )
    daily: ClassVar = ("roc_auc", "log_loss_skill")
    quality: ClassVar = "roc_auc"
    second: ClassVar = "log_loss_skill"
    no_skill: ClassVar = 0.5
    answers: ClassVar = "probabilities"
    loss_name: ClassVar = "log loss"
    loss_figure: ClassVar = "log_loss"
    problem_type: ClassVar = "CLASSIFICATION"
    by_day: ClassVar[Mapping[str, Callable[[Scored], Figure]]] = {
        "roc_auc": roc_auc,
        "pr_auc": pr_auc,
        "brier": brier,
        "log_loss": log_loss,
        "calibration_error": calibration_error_by_day,
    }

    def measure(self, label: pd.Series, prediction: pd.Series) -> dict[str, float]:
        """Quality of predicted probabilities.

        Returns:
            `rows`, `mean_label` (the share of 1.0), `mean_prediction`; `roc_auc`, `pr_auc` (average precision), `brier`
            (mean squared error), `log_loss` (nats); the last two of a constant prediction of the mean label, as
            `*_base`; and the part of them that the model removes, as `*_skill` (1 - score / base); `calibration_error`
            (expected calibration error over ten bins of equal count: mean absolute difference between mean prediction
            and mean label, weighted by rows; Naeini et al., 2015). Figures that need both classes are NaN where only
            one is there.
        """
        # Each task reads the configuration, and scikit-learn takes a second.
        from sklearn import metrics  # noqa: PLC0415

        rate = float(label.mean())
        figures = {"rows": float(len(label)), "mean_label": rate, "mean_prediction": float(prediction.mean())}
        figures["calibration_error"] = calibration_error(label, prediction)
        figures["brier"] = float(metrics.brier_score_loss(label, prediction))
        figures["log_loss"] = self.loss(label, prediction.to_numpy())
        if label.nunique() < 2:  # noqa: PLR2004 - both classes
            return figures | dict.fromkeys(self.metrics[len(figures) :], float("nan"))
        constant = pd.Series(rate, index=label.index)
        figures["roc_auc"] = float(metrics.roc_auc_score(label, prediction))
        figures["pr_auc"] = float(metrics.average_precision_score(label, prediction))
        figures["brier_base"] = float(metrics.brier_score_loss(label, constant))
        figures["log_loss_base"] = float(metrics.log_loss(label, constant))
        return figures | {f"{name}_skill": 1 - figures[name] / figures[f"{name}_base"] for name in _BASES}

    def is_answer(self, values: np.ndarray) -> np.ndarray:
        """True where a number is from 0 to 1."""
        return np.asarray((values >= 0) & (values <= 1))

    def loss(self, label: pd.Series, prediction: np.ndarray) -> float:
        """The log loss, nats."""
        from sklearn.metrics import log_loss  # noqa: PLC0415

        return float(log_loss(label, prediction, labels=[0.0, 1.0]))

    def curves(self, label: pd.Series, prediction: np.ndarray) -> tuple[Curve, ...]:
        """The ROC curve beside chance, and the share of positives by predicted probability, in bins of equal count."""
        from sklearn.calibration import calibration_curve  # noqa: PLC0415
        from sklearn.metrics import roc_curve  # noqa: PLC0415

        wrong, right, _ = roc_curve(label, prediction)
        happened, predicted = calibration_curve(label, prediction, n_bins=CALIBRATION_BINS, strategy="quantile")
        ideal = ((0.0, 0.0), (1.0, 1.0))
        share = f"share of {self.positives}"
        return (
            Curve("roc", "ROC", wrong, right, "false positive rate", "true positive rate", ideal),
            Curve("calibration", "Calibration", predicted, happened, self.scale, share, ideal),
        )

    def notable_shift(self, deviation: float) -> float:
        """Five points."""
        return 0.05

    def predicted(self, prediction: str) -> str:
        """The predicted class, 1.0 or 0.0 as the label."""
        return f"predicted_{self.column}"

    def derived(self, prediction: str) -> Mapping[str, Column]:
        """The predicted class."""
        return {self.predicted(prediction): (F.col(prediction) >= self.positive_from).cast("double")}

    def aggregates(self, label: str, prediction: str, moment: str) -> Mapping[str, str]:
        """`mean_label`, `mean_prediction`, `brier` (mean squared error), `log_loss` (nats), `log_loss_skill` (1 - log
        loss / that of the constant prediction of the mean label) and `roc_auc`, both NULL where there is one class
        alone, `expected_roc_auc` (what it would be if each probability were true), and `time_excess`: the ROC AUC of
        the moment alone, as if it were the prediction, less what that would be if each probability were true.
        """
        # Keeps a certain prediction that was wrong from an infinite loss, as scikit-learn's log_loss does.
        likely = f"least(greatest({prediction}, {_EDGE}D), 1 - {_EDGE}D)"
        loss = f"-avg({label} * ln({likely}) + (1 - {label}) * ln(1 - {likely}))"
        rate = f"avg({label})"
        base = f"-({rate} * ln(nullif({rate}, 0)) + (1 - {rate}) * ln(nullif(1 - {rate}, 0)))"
        time = f"CAST(unix_micros({moment}) AS DOUBLE)"
        excess = f"{_share_in_order(label, time, label, 't')} - {_share_in_order(label, time, prediction, 'e')}"
        return {
            "mean_label": rounded(rate),
            "mean_prediction": rounded(f"avg(CASE WHEN {label} IS NOT NULL THEN {prediction} END)"),
            "brier": rounded(f"avg(power({prediction} - {label}, 2))"),
            "log_loss": rounded(loss),
            "log_loss_skill": rounded(f"1 - ({loss}) / ({base})"),
            "roc_auc": rounded(_share_in_order(label, prediction, label, "y")),
            EXPECTED_AUC: rounded(_share_in_order(label, prediction, prediction, "q")),
            TIME_EXCESS: rounded(excess),
        }

    def quality_of(self, label: np.ndarray, prediction: np.ndarray, moment: np.ndarray | None = None) -> Quality | None:
        """ROC AUC, and what it would be if each probability were true; None where there is one class alone.

        A day is hard where its positives come at other hours than was predicted, whatever the model: the ROC AUC of
        the moment alone, less what that would be if each probability were true, says how hard.
        """
        if label.sum() in {0, len(label)}:
            return None
        excess = 0.0 if moment is None else share_in_order(moment, label) - share_in_order(moment, prediction)
        promised = share_in_order(prediction, prediction)
        return Quality(share_in_order(prediction, label), promised, round(excess, DECIMALS))

    def recorded_quality(self, day: Mapping[str, Any]) -> Quality | None:
        """The same, as the monitor has measured it."""
        if day["roc_auc"] is None:
            return None
        # NULL on a day that was measured before there was the figure.
        return Quality(day["roc_auc"], day[EXPECTED_AUC], day[TIME_EXCESS] or 0.0)

    def place(self, prediction: str, period: str) -> Column:
        """Ten bins of equal width."""
        return F.least(F.floor(F.col(prediction) * CALIBRATION_BINS), F.lit(CALIBRATION_BINS - 1))

    def measures(self, plural: str) -> tuple[Measure, ...]:
        """Ranking first, then the probabilities."""
        share = f"the share of {self.positives}"
        constant = f"of one constant prediction, {share}"
        return (
            Measure("roc_auc", "ROC AUC", f"how well {self.positives} are ranked above others; 0.5 is chance", "up"),
            Measure("pr_auc", "PR AUC", f"average precision; chance is {share}", "up"),
            Measure("log_loss", "Log loss", "how surprised the model was by what happened", "down"),
            Measure("log_loss_base", "Log loss of the base rate", constant),
            Measure(
                *("log_loss_skill", "Log loss skill", "part of the base rate's log loss that the model removes"),
                *("up", "percent"),
            ),
            Measure("brier", "Brier score", "mean squared error of the probability", "down"),
            Measure("brier_base", "Brier score of the base rate", "of the same constant prediction"),
            Measure("calibration_error", "Calibration error", f"mean gap between probability and {share}", "down"),
            Measure("mean_prediction", "Mean prediction", "mean predicted probability", form="percent"),
            Measure("mean_label", f"Share of {self.positives}", "of those whose label is known", form="percent"),
            Measure("labelled_rows", f"Labelled {plural}", "what the figures rest on", form="count"),
        )

    @property
    def scale(self) -> str:
        """A probability."""
        return "predicted probability"


def calibration_error(label: pd.Series, prediction: pd.Series) -> float:
    """Expected calibration error over bins of equal count; rows of one prediction are in one bin."""
    bins = calibration_bins(prediction.to_numpy())
    both = {"label": label.to_numpy(), "prediction": prediction.to_numpy()}
    grouped = pd.DataFrame(both).groupby(bins)
    gaps = (grouped["label"].mean() - grouped["prediction"].mean()).abs()
    return float((gaps * grouped.size()).sum() / len(label))


def calibration_bins(prediction: np.ndarray) -> np.ndarray:
    """The bin (1 to ten) of each prediction, of equal count; equal predictions are in one."""
    # SciPy's ranks take half a second to import, in each process.
    share = (pd.Series(prediction).rank().to_numpy() - 1) * CALIBRATION_BINS / max(len(prediction) - 1, 1)
    return np.asarray(np.maximum(np.ceil(share), 1))


def share_in_order(order: np.ndarray, positive: np.ndarray) -> float:
    """The share of pairs of two rows, a positive and a negative, that `order` ranks rightly; a tie is half a pair.

    Args:
        order: what the rows are ranked by.
        positive: how much of a positive each row is, 0 to 1. Of labels, the share is the ROC AUC; of probabilities,
            what that would be if they were true: each pair is weighed by how probable it is.
    """
    values, place = np.unique(order, return_inverse=True)
    ones, zeros = (np.bincount(place, part, len(values)) for part in (positive, 1 - positive))
    itself = (positive * (1 - positive)).sum()
    won = ones @ (np.cumsum(zeros) - zeros / 2)
    return float((won - itself / 2) / (ones.sum() * zeros.sum() - itself))


def _share_in_order(label: str, order: str, positive: str, y: str) -> str:
    """The same in SQL, of the labelled rows; NULL where there is no such pair.

    Args:
        label: is NULL where a row does not count.
        order: what the rows are ranked by.
        positive: how much of a positive each row is.
        y: a name for that: Spark tells two lists of one query apart by the names of their fields.
    """
    known = f"CASE WHEN {label} IS NOT NULL THEN {positive} END"
    itself = f"sum({known} * (1 - {known}))"
    every = f"sum({known}) * sum(1 - ({known})) - {itself}"
    return f"({_pairs_in_order(label, order, positive, y)} - {itself} / 2) / nullif({every}, 0)"


def _pairs_in_order(label: str, order: str, positive: str, y: str) -> str:
    """How many pairs of a positive and a negative are in order, a tie being half of one (Mann and Whitney, 1947): over
    the labelled rows in rising order, each group of ties is added once the next one begins. Arguments as above.
    """
    pairs = f"collect_list(CASE WHEN {label} IS NOT NULL THEN struct({order} AS p, {positive} AS {y}) END)"
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
