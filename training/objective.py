"""What a search minimizes: the log loss of the trees on weeks after those that they were fitted on."""

from dataclasses import dataclass

import numpy as np
import optuna
from optuna.trial import BaseTrial
from sklearn.metrics import log_loss

from project.config import Config, ModelParameters, SearchSpace, WholeRange
from training.folds import Fold
from training.frame import TrainingFrame
from training.model import make_classifier


@dataclass(frozen=True)
class FoldLoss:
    """A trial's value: the mean log loss over the folds (nats). Spark's workers get it whole, rows and all.

    The probabilities are the trees' own: the calibration that a trained model has on top would take four fits a fold.
    """

    frame: TrainingFrame
    folds: tuple[Fold, ...]
    config: Config

    def __call__(self, trial: BaseTrial) -> float:
        """Judges what the trial draws, fold by fold.

        Raises:
            optuna.TrialPruned: after a fold, the mean so far is worse than the median of the trials before.
        """
        parameters = suggest_parameters(trial, self.config.training.search.space)
        losses: list[float] = []
        for step, fold in enumerate(self.folds):
            losses.append(self._loss(parameters, fold))
            trial.report(float(np.mean(losses)), step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return float(np.mean(losses))

    def _loss(self, parameters: ModelParameters, fold: Fold) -> float:
        rows, label = self.frame.rows, self.frame.label
        training = self.config.training
        categorical = self.config.schedule_features.categorical
        classifier = make_classifier(categorical, parameters.model_dump(), training.seed)
        classifier.fit(rows.iloc[fold.fit], label.iloc[fold.fit])
        predicted = classifier.predict_proba(rows.iloc[fold.judge])[:, 1]
        return float(log_loss(label.iloc[fold.judge], predicted, labels=[0.0, 1.0]))


def suggest_parameters(trial: BaseTrial, space: SearchSpace) -> ModelParameters:
    """Draws each hyperparameter from its range."""
    drawn: dict[str, float] = {}
    for name, bounds in space:
        suggest = trial.suggest_int if isinstance(bounds, WholeRange) else trial.suggest_float
        drawn[name] = suggest(name, bounds.low, bounds.high, log=bounds.log)
    return ModelParameters.model_validate(drawn)
