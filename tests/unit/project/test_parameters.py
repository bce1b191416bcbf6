"""A task's parameters: each is read by its kind, and one that can't be says in a sentence which it is."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from local_workspace.dbutils import DBUtils
from project.config import load_config
from project.parameters import ParameterError, Parameters
from project.tables import Tables
from tests.unit.tables import moment


def given(**values: str) -> Parameters:
    return Parameters(DBUtils(values), *values)


# What is read of a parameter, by its name and what it is given.
READ: dict[str, Callable[[Parameters], object]] = {
    "reason": lambda p: p.text("reason"),
    "experiment": lambda p: p.required("experiment"),
    "as_of": lambda p: p.as_of,
    "volume": lambda p: p.volume,
    "model_name": lambda p: p.model_name,
    "window_hours": lambda p: p.window,
    "tuning_minutes": lambda p: p.number("tuning_minutes"),
    "tuning_trials": lambda p: p.whole("tuning_trials"),
    "retrain_on_violation": lambda p: p.flag("retrain_on_violation"),
    "rebuild": lambda p: p.names("rebuild"),
    "history_start": lambda p: p.config.history_start,
    "validation_days": lambda p: p.config.training.validation_days,
}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("reason", " it is late ", "it is late"),
        ("reason", "", ""),
        ("experiment", "/Shared/e", "/Shared/e"),
        ("as_of", "2024-08-01T00:00:00Z", moment("2024-08-01")),
        ("as_of", "2024-07-31T20:00:00-04:00", moment("2024-08-01")),
        ("as_of", "2024-08-01", moment("2024-08-01")),
        ("volume", "/Volumes/main/s/files", Path("/Volumes/main/s/files")),
        ("model_name", "main.s.m", "main.s.m"),
        ("window_hours", "24", timedelta(hours=24)),
        ("window_hours", "0.5", timedelta(minutes=30)),
        ("tuning_minutes", "1.5", 1.5),
        ("tuning_minutes", "0", 0.0),
        ("tuning_minutes", "", 0.0),
        ("tuning_trials", "12", 12),
        ("tuning_trials", "", 0),
        ("retrain_on_violation", "true", True),
        ("retrain_on_violation", "False", False),
        ("rebuild", "shop_features, labels,,", ("shop_features", "labels")),
        ("rebuild", "", ()),
        ("history_start", "2024-06-01T00:00:00Z", moment("2024-06-01")),
        ("history_start", "", load_config().history_start),
        ("validation_days", "14", 14),
        ("validation_days", "", load_config().training.validation_days),
    ],
)
def test_a_parameter_is_read_by_its_kind(name, text, value):
    found = READ[name](given(**{name: text}))
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "what_it_must_be"),
    [
        ("experiment", "", "MLflow experiment"),
        ("experiment", "  ", "MLflow experiment"),
        ("as_of", "", "moment"),
        ("as_of", "yesterday", "'yesterday', and must be a moment such as .*-01T00:00:00Z"),
        ("as_of", "2024-02-30", "a moment such as"),
        ("volume", "", "folder of the volume"),
        ("model_name", "", "registered model"),
        ("window_hours", "0", "'0', and must be above 0"),
        ("window_hours", "", "above 0"),
        ("window_hours", "a day", "'a day', and must be a number"),
        ("tuning_minutes", "-1", "'-1', and must be a number, 0 or greater"),
        ("tuning_minutes", "nan", "a number, 0 or greater"),
        ("tuning_minutes", "inf", "a number, 0 or greater"),
        ("tuning_trials", "1.5", "'1.5', and must be a whole number"),
        ("tuning_trials", "many", "a number, 0 or greater"),
        ("retrain_on_violation", "yes", "'yes', and must be 'true' or 'false'"),
        ("retrain_on_violation", "", "'true' or 'false'"),
        ("history_start", "last year", "'last year'.*a moment such as"),
        ("history_start", "last June", "a moment such as"),
        ("validation_days", "0", "a whole number above 0"),
        ("validation_days", "a fortnight", "a whole number above 0"),
    ],
)
def test_a_parameter_that_cannot_be_read_is_named_in_one_sentence(name, text, what_it_must_be):
    parameters = given(**{name: text})
    with pytest.raises(ParameterError, match=rf"'{name}' is .*{what_it_must_be}") as error:
        READ[name](parameters)
    assert len(str(error.value).splitlines()) == 1


def test_the_tables_are_those_of_catalog_and_schema():
    assert given(catalog="main", schema="s").tables == Tables("main", "s")
    with pytest.raises(ParameterError, match="'schema' is empty"):
        _ = given(catalog="main", schema="").tables


def test_the_configuration_takes_what_is_given_and_else_is_the_files():
    config = given(catalog="main").config
    assert config == load_config()
    assert given(history_start="2024-06-01T00:00:00Z", validation_days="9").config == load_config(
        history_start="2024-06-01T00:00:00Z", validation_days="9"
    )


def test_a_parameter_that_the_notebook_does_not_name_is_not_there():
    """Though the job has it."""
    parameters = Parameters(DBUtils({"catalog": "main", "schema": "s", "as_of": "2024-08-01"}), "catalog", "as_of")
    assert parameters.as_of == moment("2024-08-01")
    for read in (lambda: parameters.text("schema"), lambda: parameters.tables, lambda: parameters.flag("schema")):
        with pytest.raises(KeyError, match="schema"):
            read()


def test_a_parameter_that_no_one_knows_is_refused():
    with pytest.raises(KeyError, match="as_off"):
        given(as_off="2024-08-01")


def test_each_is_a_widget_with_its_default_and_meaning():
    """So that a person can run a notebook by hand."""
    labels: dict[str, tuple[str, str | None]] = {}

    class Seen(DBUtils):
        def __init__(self) -> None:
            super().__init__({})
            declare = self.widgets.text

            def text(name: str, default: str, label: str | None = None) -> None:
                labels[name] = (default, label)
                declare(name, default, label)

            self.widgets.text = text

    by_hand = Seen()
    parameters = Parameters(by_hand, "as_of", "window_hours", "approval", "tuning_workers")
    assert by_hand.widgets.getAll() == {
        "as_of": "",
        "window_hours": "24",
        "approval": "manual",
        "tuning_workers": "1",
    }
    assert parameters.window == timedelta(hours=24)
    assert labels["as_of"] == ("", "as_of: moment up to which anything may be known (ISO 8601)")
    assert all(label and label.startswith(f"{name}: ") for name, (_, label) in labels.items())
