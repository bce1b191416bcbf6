"""Notebooks hold no logic: parameters in, one call, task values out. Jobs give each the parameters that it asks for."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_workspace.bundle import Bundle, Job, Task, load_bundle
from local_workspace.values import references

REPOSITORY = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted(REPOSITORY.glob("*/notebooks/*.py")) + sorted(REPOSITORY.glob("*/*/notebooks/*.py"))
LOGIC = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.AsyncFor, ast.While),
    *(ast.If, ast.IfExp, ast.BoolOp, ast.Match, ast.Try, ast.With, ast.comprehension),
)
MOST_STATEMENTS = 5
JOBS = tuple(path.name.removesuffix(".job.yml") for path in sorted(REPOSITORY.glob("resources/*.job.yml")))


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    given = dict.fromkeys(("catalog", "warehouse_id"), "given")
    return load_bundle(REPOSITORY, environ={f"BUNDLE_VAR_{name}": value for name, value in given.items()})


def asked_by(notebook: Path) -> set[str]:
    """The names that a notebook asks for: the words of `Parameters(dbutils, ...)`, in whatever form they are given."""
    tree = ast.parse(notebook.read_text())
    variables = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    (call,) = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "Parameters")
    spark_utilities, *names = call.args
    assert ast.unparse(spark_utilities) == "dbutils"
    assert call.keywords == []
    return {word for name in names for word in words(name, variables)}


def words(node: ast.expr, variables: dict[str, ast.expr]) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(word)):
            yield word
        case ast.Starred(value=inner):
            yield from words(inner, variables)
        case ast.Tuple(elts=parts):
            for part in parts:
                yield from words(part, variables)
        case ast.Name(id=name):
            yield from words(variables[name], variables)
        case _:
            raise AssertionError(f"can't tell what {ast.unparse(node)} names")


def notebook_tasks(bundle: Bundle, job: Job) -> Iterator[tuple[Task, set[str]]]:
    """The tasks of a job that run notebooks, with the names that those ask for."""
    for task in job.tasks:
        if task.notebook_task:
            yield task, asked_by(bundle.notebook_file(task.notebook_task.notebook_path))


def test_notebooks_are_found() -> None:
    assert {path.name for path in NOTEBOOKS} == {
        *("Refresh.py", "Train.py", "Validate.py", "Score.py", "Monitor.py"),
        *("Approval.py", "Promote.py", "Rollback.py", "UpdateEndpoint.py", "PublishFeatures.py"),
    }


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_no_logic_and_is_short(notebook: Path) -> None:
    text = notebook.read_text()
    assert text.startswith("# Databricks notebook source\n")
    tree = ast.parse(text)
    assert [type(node).__name__ for node in ast.walk(tree) if isinstance(node, LOGIC)] == []
    statements = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    assert 1 < len(statements) <= MOST_STATEMENTS


def test_every_notebook_is_a_task_of_the_bundle() -> None:
    jobs = "\n".join(path.read_text() for path in REPOSITORY.glob("resources/*.job.yml"))
    assert [path.name for path in NOTEBOOKS if str(path.relative_to(REPOSITORY)) not in jobs] == []


@pytest.mark.parametrize("key", JOBS)
def test_a_notebook_is_given_what_it_asks_for_and_nothing_else(bundle: Bundle, key: str) -> None:
    job = bundle.jobs[key]
    of_job = {parameter.name for parameter in job.parameters}
    for task, asked in notebook_tasks(bundle, job):
        own = set(task.notebook_task.base_parameters)
        assert asked - of_job == own, task.task_key


@pytest.mark.parametrize("key", JOBS)
def test_each_parameter_of_a_job_is_read_or_passed_on(bundle: Bundle, key: str) -> None:
    job = bundle.jobs[key]
    read = {name for _, asked in notebook_tasks(bundle, job) for name in asked}
    passed_on = {
        steps[2]
        for task in job.tasks
        for steps in references(task.model_dump_json())
        if steps[:2] == ("job", "parameters")
    }
    assert {parameter.name for parameter in job.parameters} <= read | passed_on
