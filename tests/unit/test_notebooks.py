"""Notebooks hold no logic: widgets in, one call, task values out."""

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted(REPOSITORY.glob("*/notebooks/*.py")) + sorted(REPOSITORY.glob("*/*/notebooks/*.py"))
LOGIC = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.For, ast.AsyncFor, ast.While, ast.Lambda)


def test_notebooks_are_found() -> None:
    assert {path.name for path in NOTEBOOKS} >= {"Ingest.py", "Train.py", "Validate.py", "Promote.py", "Score.py"}


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_no_function_class_or_loop(notebook: Path) -> None:
    text = notebook.read_text()
    assert text.startswith("# Databricks notebook source\n")
    assert [type(node).__name__ for node in ast.walk(ast.parse(text)) if isinstance(node, LOGIC)] == []


def test_every_notebook_is_a_task_of_the_bundle() -> None:
    jobs = "\n".join(path.read_text() for path in REPOSITORY.glob("resources/*.job.yml"))
    assert [path.name for path in NOTEBOOKS if str(path.relative_to(REPOSITORY)) not in jobs] == []
