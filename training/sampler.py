"""Which hyperparameters a trial tries."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState


class RepeatableSampler(BaseSampler):
    """Tree-structured Parzen estimators (Bergstra et al., 2011), drawn by the trial's place in the search.

    A draw depends on the seed and the trials before, not on the process: a trial that is done again after a kill tries
    the same, and two that workers start at once do not. The first trial tries a given set.
    """

    def __init__(self, first: Mapping[str, float], seed: int) -> None:
        """Takes what the first trial tries, and the seed of the others."""
        self._first = dict(first)
        self._seed = seed
        self._place = 0
        self._of_trial = TPESampler(seed=seed)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Finds the trial's place: how many came before it, without those that failed."""
        trials = study.get_trials(deepcopy=False)
        self._place = sum(other.number < trial.number and other.state != TrialState.FAIL for other in trials)
        seed = np.random.SeedSequence([self._seed, self._place]).generate_state(1)[0]
        self._of_trial = TPESampler(seed=int(seed))

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Nothing: each hyperparameter is drawn on its own."""
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Nothing."""
        return {}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """The given value in the first trial, and a draw in the others."""
        if self._place == 0:
            return self._first[param_name]
        return self._of_trial.sample_independent(study, trial, param_name, param_distribution)
