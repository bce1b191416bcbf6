"""`dbutils` answers as Databricks' does for what it has, and names what it hasn't."""

import threading

import pytest

from local_workspace.dbutils import DBUtils, InputWidgetNotDefined


def test_a_parameter_beats_a_widgets_default():
    widgets = DBUtils({"day": "monday"}).widgets
    widgets.text("day", "sunday", "The day")
    widgets.dropdown("size", "small", ["small", "large"])
    assert (widgets.get("day"), widgets.get("size")) == ("monday", "small")
    assert widgets.getAll() == {"day": "monday", "size": "small"}


def test_an_undefined_widget_raises_by_name():
    with pytest.raises(InputWidgetNotDefined, match="No input widget named day is defined"):
        DBUtils({}).widgets.get("day")


def test_a_dropdowns_default_is_one_of_its_choices():
    with pytest.raises(ValueError, match="'huge'"):
        DBUtils({}).widgets.dropdown("size", "huge", ["small"])


def test_task_values_are_json_and_copies():
    values = {}
    rows = [1, 2]
    DBUtils({}, values).jobs.taskValues.set("rows", rows)
    rows.append(3)
    assert values == {"rows": [1, 2]}


@pytest.mark.parametrize("value", [object(), {1, 2}, float("nan")])
def test_a_task_value_that_is_no_json_is_refused(value):
    with pytest.raises(TypeError, match="'rows'"):
        DBUtils({}, {}).jobs.taskValues.set("rows", value)


def test_task_values_have_at_most_48_kib():
    task_values = DBUtils({}, {}).jobs.taskValues
    task_values.set("fits", "x" * (48 * 1024 - 2))
    with pytest.raises(ValueError, match="49153 bytes"):
        task_values.set("too_long", "x" * (48 * 1024 - 1))


def test_task_values_of_other_tasks_and_defaults():
    task_values = DBUtils({}, {}, {"ingest": {"rows": 0}}).jobs.taskValues
    assert task_values.get("ingest", "rows", default=5) == 0
    assert task_values.get(taskKey="ingest", key="since", default="never", debugValue="x") == "never"
    with pytest.raises(ValueError, match="'since'"):
        task_values.get("ingest", "since")
    with pytest.raises(ValueError, match="'nobody'"):
        task_values.get("nobody", "rows", default=1)


@pytest.mark.parametrize(
    ("use", "name"),
    [
        (lambda dbutils: dbutils.fs.ls("/"), "dbutils.fs"),
        (lambda dbutils: dbutils.secrets.get("a", "b"), "dbutils.secrets"),
        (lambda dbutils: dbutils.notebook.run("x", 60), "dbutils.notebook.run"),
        (lambda dbutils: dbutils.widgets.combobox("a", "b", []), "dbutils.widgets.combobox"),
    ],
)
def test_what_is_missing_raises_by_name(use, name):
    with pytest.raises(NotImplementedError, match=name):
        use(DBUtils({}))


def test_tasks_that_run_at_once_do_not_share_dbutils(bundle, record):
    bundle.namespace["meet"] = threading.Barrier(2, timeout=5).wait
    bundle.notebook(
        "Write",
        """
        me = dbutils.widgets.get("me")
        dbutils.widgets.text("seen", me)
        dbutils.jobs.taskValues.set("me", me)
        spark.meet()
        assert dbutils.widgets.get("seen") == me
        """,
    )
    settings = "notebook_path: ../notebooks/Write.py, base_parameters: {me: '{{task.name}}'}"
    bundle.job("j", "\n".join(f"- {{task_key: {key}, notebook_task: {{{settings}}}}}" for key in ("a", "b")))
    run = bundle.run("j")
    assert not run.failed
    assert run.values == {"a": {"me": "a"}, "b": {"me": "b"}}
