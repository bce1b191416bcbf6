"""What a search minimizes: the loss of a candidate on weeks after those that it was fitted on."""

from collections.abc import Iterable

import numpy as np
import optuna
from optuna.trial import BaseTrial

from project.config import Config, WholeRange
from training.frame import TrainingFrame
from use_case.model import make_candidate


def mean_loss(
    trial: BaseTrial, frame: TrainingFrame, splits: Iterable[tuple[np.ndarray, np.ndarray]], config: Config
) -> float:
    """A trial's value: the mean of the label's loss over the folds, of what the trial draws from the search's space.

    Raises:
        optuna.TrialPruned: after a fold, the mean so far is worse than the median of the trials before.
    """
    parameters = dict(config.training.model)
    for name, bounds in config.training.search.space.items():
        if isinstance(bounds, WholeRange):
            parameters[name] = trial.suggest_int(name, bounds.low, bounds.high, log=bounds.log)
        else:
            parameters[name] = trial.suggest_float(name, bounds.low, bounds.high, log=bounds.log)
    losses: list[float] = []
    for step, (fit, judge) in enumerate(splits):
        candidate = make_candidate(config.request_features.categorical, parameters, config.training.seed)
        candidate.fit(frame.rows.iloc[fit], frame.label.iloc[fit])
        predicted = candidate.predict(frame.rows.iloc[judge])
        losses.append(config.label.loss(frame.label.iloc[judge], predicted))
        trial.report(float(np.mean(losses)), step)
        if trial.should_prune():
            raise optuna.TrialPruned
    return float(np.mean(losses))
