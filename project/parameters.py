"""The parameters of a task: what each means, read and checked in one place.

A notebook names those that it reads. Each gets a widget, so that a person can run the notebook by hand; in a job the
job's values take their place.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from project.config import Config, load_config
from project.tables import Tables
from project.times import parse_moment

# What a widget is called, and what a person who runs a notebook by hand starts from.
_MEANINGS: Mapping[str, tuple[str, str]] = {
    "catalog": ("Unity Catalog catalog of the tables", ""),
    "schema": ("schema of the tables", ""),
    "volume": ("folder of the volume that files land in and reports go to", ""),
    "model_name": ("full name of the registered model", ""),
    "experiment": ("MLflow experiment of the trainings", ""),
    "as_of": ("moment up to which anything may be known (ISO 8601)", ""),
    "history_start": ("from when on there is data (ISO 8601); empty: as config.yml says", ""),
    "rebuild": ("tables to make anew, with commas between, or 'all'", ""),
    "changed_formula": ("what a table whose formula has changed gets: 'rebuild' or 'refuse'", "refuse"),
    "online_store": ("online store that feature tables are published to", ""),
    "window_hours": ("hours before as_of whose predictions are asked", "24"),
    "validation_days": ("days before as_of that a version is judged on; empty: as config.yml says", ""),
    "git_commit": ("commit of the code that runs", ""),
    "cause": ("why a training runs", ""),
    "tuning_trials": ("trials of the search for hyperparameters; 0: no bound", "0"),
    "tuning_minutes": ("minutes of the search; 0: no bound", "0"),
    "tuning_workers": ("trials at a time; more than 1 run on Spark's workers", "1"),
    "deployment_job_id": ("id of the deployment job", ""),
    "deployment_trigger": ("what starts the deployment job: 'training' or 'registration'", "training"),
    "model_version": ("version that is judged and promoted", ""),
    "approval": ("whether a person must approve a version: 'manual' or 'auto'", "manual"),
    "approval_tag": ("tag of the version that a person answers with", "approval"),
    "job_id": ("id of the job, for the record", ""),
    "run_id": ("id of the job's run, for the record", ""),
    "reason": ("why champion is taken back", ""),
    "endpoint": ("name of the serving endpoint", ""),
    "project": ("name of the bundle, a tag of the endpoint", ""),
    "target": ("target of the bundle, a tag of the endpoint", ""),
    "managers": ("account group that may manage the endpoint; empty: none", ""),
    "callers": ("account group that may ask the endpoint; empty: none", ""),
    "retrain_on_violation": ("whether a violation starts a training: 'true' or 'false'", "false"),
}


class ParameterError(ValueError):
    """A parameter is missing or can't be read; the text says which, and what it must be."""


class Parameters:
    """The values of the parameters that a notebook names."""

    def __init__(self, dbutils: Any, *names: str) -> None:
        """Declares a widget for each name.

        Raises:
            KeyError: a name is not known here.
        """
        for name in names:
            meaning, default = _MEANINGS[name]
            dbutils.widgets.text(name, default, f"{name}: {meaning}")
        self._values = {name: str(dbutils.widgets.get(name)).strip() for name in names}

    def text(self, name: str) -> str:
        """A parameter as it was given; it may be empty.

        Raises:
            KeyError: the notebook does not name it.
        """
        return self._values[name]

    def required(self, name: str) -> str:
        """The same, where it may not be empty.

        Raises:
            ParameterError: it is.
        """
        value = self.text(name)
        if not value:
            raise ParameterError(f"the parameter '{name}' is empty: give the {_MEANINGS[name][0]}")
        return value

    @cached_property
    def tables(self) -> Tables:
        """The tables of `catalog` and `schema`."""
        return Tables(self.required("catalog"), self.required("schema"))

    @cached_property
    def volume(self) -> Path:
        """The folder of the volume."""
        return Path(self.required("volume"))

    @property
    def as_of(self) -> datetime:
        """The moment of the run (UTC)."""
        return _moment("as_of", self.required("as_of"))

    @property
    def model_name(self) -> str:
        """The full name of the registered model."""
        return self.required("model_name")

    @property
    def window(self) -> timedelta:
        """How long before as_of predictions were asked that this run answers."""
        return timedelta(hours=_above_zero("window_hours", self.text("window_hours")))

    def number(self, name: str) -> float:
        """A number that is not negative; empty is 0.

        Raises:
            ParameterError: it is none.
        """
        return _number(name, self.text(name))

    def whole(self, name: str) -> int:
        """A whole number that is not negative; empty is 0.

        Raises:
            ParameterError: it is none.
        """
        return _whole(name, self.text(name))

    def flag(self, name: str) -> bool:
        """True or false.

        Raises:
            ParameterError: it is neither.
        """
        return _flag(name, self.text(name))

    def names(self, name: str) -> tuple[str, ...]:
        """Names with commas between; none where it is empty."""
        return tuple(part.strip() for part in self.text(name).split(",") if part.strip())

    @cached_property
    def config(self) -> Config:
        """The configuration, with the parameters that take the place of something in it.

        Raises:
            ParameterError: one of them can't be read.
        """
        history_start, days = (self._values.get(name, "") for name in ("history_start", "validation_days"))
        if history_start:
            _moment("history_start", history_start)
        if days:
            _days("validation_days", days)
        return load_config(history_start=history_start, validation_days=days)


def check_given(values: Mapping[str, str]) -> None:
    """Refuses values that no task could read, before one starts; an empty one says nothing.

    Raises:
        ParameterError: it names the parameter.
    """
    for name, value in values.items():
        if value and name in _READ:
            _READ[name](name, value)


def _moment(name: str, value: str) -> datetime:
    try:
        return parse_moment(value)
    except ValueError:
        raise ParameterError(
            f"the parameter '{name}' is '{value}', and must be a moment such as 2013-08-01T00:00:00Z"
        ) from None


def _number(name: str, value: str) -> float:
    try:
        number = float(value or 0)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise ParameterError(f"the parameter '{name}' is '{value}', and must be a number, 0 or greater")
    return number


def _above_zero(name: str, value: str) -> float:
    number = _number(name, value)
    if number == 0:
        raise ParameterError(f"the parameter '{name}' is '{value}', and must be above 0")
    return number


def _whole(name: str, value: str) -> int:
    number = _number(name, value)
    if number != int(number):
        raise ParameterError(f"the parameter '{name}' is '{value}', and must be a whole number")
    return int(number)


def _days(name: str, value: str) -> int:
    if not value.isdecimal() or int(value) == 0:
        raise ParameterError(f"the parameter '{name}' is '{value}', and must be a whole number above 0")
    return int(value)


def _flag(name: str, value: str) -> bool:
    if value.lower() not in {"true", "false"}:
        raise ParameterError(f"the parameter '{name}' is '{value}', and must be 'true' or 'false'")
    return value.lower() == "true"


_READ: Mapping[str, Callable[[str, str], object]] = {
    "as_of": _moment,
    "history_start": _moment,
    "window_hours": _above_zero,
    "validation_days": _days,
    "tuning_trials": _whole,
    "tuning_minutes": _number,
    "tuning_workers": _whole,
    "retrain_on_violation": _flag,
}
