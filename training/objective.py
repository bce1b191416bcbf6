"""What a search minimizes: the log loss of the trees on weeks after those that they were fitted on."""

from collections.abc import Iterable

import numpy as np
import optuna
from optuna.trial import BaseTrial
from sklearn.metrics import log_loss

from project.config import Config, WholeRange
from training.frame import TrainingFrame
from training.model import make_classifier


def mean_loss(
    trial: BaseTrial, frame: TrainingFrame, splits: Iterable[tuple[np.ndarray, np.ndarray]], config: Config
) -> float:
    """A trial's value: the mean log loss (nats) over the folds, of what the trial draws from the search's space.

    The probabilities are the trees' own: the calibration that a trained model has on top would take four fits a fold.

    Raises:
        optuna.TrialPruned: after a fold, the mean so far is worse than the median of the trials before.
    """
    drawn: dict[str, float] = {}
    for name, bounds in config.training.search.space:
        suggest = trial.suggest_int if isinstance(bounds, WholeRange) else trial.suggest_float
        drawn[name] = suggest(name, bounds.low, bounds.high, log=bounds.log)
    losses: list[float] = []
    for step, (fit, judge) in enumerate(splits):
        classifier = make_classifier(config.schedule_features.categorical, drawn, config.training.seed)
        classifier.fit(frame.rows.iloc[fit], frame.label.iloc[fit])
        predicted = classifier.predict_proba(frame.rows.iloc[judge])[:, 1]
        losses.append(float(log_loss(frame.label.iloc[judge], predicted, labels=[0.0, 1.0])))
        trial.report(float(np.mean(losses)), step)
        if trial.should_prune():
            raise optuna.TrialPruned
    return float(np.mean(losses))
