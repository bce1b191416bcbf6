"""Runs a notebook in Databricks' source format as if a task had started it."""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local_workspace.dbutils import DBUtils, NotebookExit

HEADER = "# Databricks notebook source"
_CELL = "# COMMAND ----------"
_MAGIC = "# MAGIC"
# Text for people, and installs that the virtual environment has done already.
_IGNORED_MAGICS = {"%md", "%md-sandbox", "%pip"}


class NotebookError(Exception):
    """A notebook failed; the text names its cell and line, and shows the bundle's own frames only."""


def run_notebook(path: Path, spark: Any, dbutils: DBUtils, root: Path) -> str | None:
    """Runs a notebook in a fresh namespace and returns what it passed to `dbutils.notebook.exit`.

    The code is compiled under its true file name and line numbers, so breakpoints and tracebacks are right.
    """
    source = path.read_text(encoding="utf-8")
    name = path.relative_to(root).as_posix()
    namespace = {
        "__name__": "__main__",
        "__file__": str(path),
        "spark": spark,
        "dbutils": dbutils,
        "display": display,
    }
    try:
        _check(source, name)
        exec(compile(source, str(path), "exec"), namespace)  # noqa: S102 (this is what a notebook is)
    except NotebookExit as end:
        return end.value
    except Exception as error:
        raise NotebookError(describe_failure(error, path, source, root)) from error
    return None


def display(value: Any, *_: Any) -> None:
    """Shows a dataframe's first rows, or anything else as text."""
    show: Callable[..., None] | None = getattr(value, "show", None)
    if show is not None:
        show(20, truncate=40)
    else:
        print(value)


def describe_failure(error: BaseException, path: Path, source: str, root: Path) -> str:
    """Where a notebook failed and why, without the frames of Spark, py4j and the runner."""
    name = path.relative_to(root).as_posix()
    line = next(
        (f.lineno or 0 for f in reversed(traceback.extract_tb(error.__traceback__)) if f.filename == str(path)),
        0,
    )
    if isinstance(error, SyntaxError) and error.filename == str(path):
        line = error.lineno or 0
    cell = 1 + sum(text.startswith(_CELL) for text in source.splitlines()[: max(line - 1, 0)])
    where = f"{name}, cell {cell}, line {line}" if line else name
    return f"{where}: {type(error).__name__}: {error}\n\n{trim_traceback(error, root)}"


def trim_traceback(error: BaseException, root: Path) -> str:
    """The chained traceback with only the frames of the bundle's own files."""
    trimmed = traceback.TracebackException.from_exception(error)
    chain: list[traceback.TracebackException | None] = [trimmed]
    while chain:
        link = chain.pop()
        if link is not None:
            own = [frame for frame in link.stack if _is_own(frame.filename, root)]
            link.stack = traceback.StackSummary.from_list(own)
            chain += [link.__cause__, link.__context__]
    return "".join(trimmed.format()).rstrip()


def _is_own(filename: str, root: Path) -> bool:
    try:
        parts = Path(filename).relative_to(root).parts
    except ValueError:
        return False
    return parts[0] != "local_workspace" and not parts[0].startswith(".")


def _check(source: str, name: str) -> None:
    lines = source.splitlines()
    if not lines or lines[0].rstrip() != HEADER:
        raise ValueError(f"{name} is not a notebook: its first line must be '{HEADER}'.")
    first_in_cell = True
    for line in lines:
        if line.startswith(_CELL):
            first_in_cell = True
        elif line.startswith(_MAGIC):
            words = line.removeprefix(_MAGIC).split()
            if first_in_cell and words and words[0].startswith("%") and words[0] not in _IGNORED_MAGICS:
                raise NotImplementedError(
                    f"{name}: the magic command {words[0]} is not supported by the local workspace."
                )
            first_in_cell = first_in_cell and not words
