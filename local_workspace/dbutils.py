"""The parts of `dbutils` that notebooks of this bundle use. Anything else raises by name."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn

_MAX_TASK_VALUE_BYTES = 48 * 1024


class NotebookExit(BaseException):
    """Raised by `dbutils.notebook.exit`; no `except Exception` in a notebook catches it."""

    def __init__(self, value: str) -> None:
        """Keeps the notebook's result."""
        super().__init__(value)
        self.value = value


class InputWidgetNotDefined(Exception):  # noqa: N818 (the name that Databricks gives it)
    """Raised for a widget that no parameter and no default defines."""


class _Utility:
    _name = "dbutils"

    def __getattr__(self, name: str) -> NoReturn:
        # A private name is Python asking (copy, inspect, tab completion), not a notebook.
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotImplementedError(f"{self._name}.{name} is not supported by the local workspace.")


class Widgets(_Utility):
    """`dbutils.widgets`: the task's parameters."""

    _name = "dbutils.widgets"

    def __init__(self, parameters: Mapping[str, str]) -> None:
        """Takes the parameters of one task run."""
        self._given = dict(parameters)
        self._defaults: dict[str, str] = {}

    def text(self, name: str, defaultValue: str, label: str | None = None) -> None:  # noqa: N803 (Databricks' signature)
        """Defines a widget; a parameter of that name wins over the default."""
        self._defaults[name] = defaultValue

    def dropdown(self, name: str, defaultValue: str, choices: list[str], label: str | None = None) -> None:  # noqa: N803
        """Defines a widget whose default must be one of the choices."""
        if defaultValue not in choices:
            raise ValueError(f"widget '{name}': the default '{defaultValue}' is not one of {choices}.")
        self._defaults[name] = defaultValue

    def get(self, name: str) -> str:
        """The value of a widget."""
        values = self.getAll()
        if name not in values:
            raise InputWidgetNotDefined(f"No input widget named {name} is defined")
        return values[name]

    def getAll(self) -> dict[str, str]:  # noqa: N802 (Databricks' name)
        """All widgets and their values."""
        return {**self._defaults, **self._given}


class TaskValues(_Utility):
    """`dbutils.jobs.taskValues`: small results that later tasks read."""

    _name = "dbutils.jobs.taskValues"

    def __init__(self, own: dict[str, Any], upstream: Mapping[str, Mapping[str, Any]]) -> None:
        """Takes where this task's values go, and the values of the run's other tasks."""
        self._own, self._upstream = own, upstream

    def set(self, key: str, value: Any) -> None:
        """Sets a value, which must be JSON of at most 48 KiB."""
        try:
            text = json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise TypeError(f"task value '{key}' can't be written as JSON: {error}") from None
        size = len(text.encode())
        if size > _MAX_TASK_VALUE_BYTES:
            raise ValueError(f"task value '{key}' has {size} bytes of JSON; {_MAX_TASK_VALUE_BYTES} are allowed.")
        self._own[key] = json.loads(text)

    def get(self, taskKey: str, key: str, default: Any = None, debugValue: Any = None) -> Any:  # noqa: N803
        """The value that another task set, or the default."""
        if taskKey not in self._upstream:
            raise ValueError(f"no task '{taskKey}' runs before this one.")
        values = self._upstream[taskKey]
        if key in values:
            return values[key]
        if default is None:
            raise ValueError(f"task '{taskKey}' set no value '{key}', and no default is given.")
        return default


class Jobs(_Utility):
    """`dbutils.jobs`."""

    _name = "dbutils.jobs"

    def __init__(self, task_values: TaskValues) -> None:
        """Takes the task values of one task run."""
        self.taskValues = task_values


class Notebook(_Utility):
    """`dbutils.notebook`."""

    _name = "dbutils.notebook"

    def exit(self, value: str) -> NoReturn:
        """Ends the notebook as a success."""
        raise NotebookExit(value)


class DBUtils(_Utility):
    """`dbutils` for one task run: nothing in it is shared with another."""

    def __init__(
        self,
        parameters: Mapping[str, str],
        task_values: dict[str, Any] | None = None,
        upstream: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """Takes the task's parameters, where its task values go, and those of the tasks before it."""
        self.widgets = Widgets(parameters)
        self.jobs = Jobs(TaskValues({} if task_values is None else task_values, upstream or {}))
        self.notebook = Notebook()
