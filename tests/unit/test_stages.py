"""Stages use what Spark Connect has, and serverless compute allows: they run behind both."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
STAGES = ("project", "use_case", "feature_engineering", "training", "validation", "deployment", "monitoring")
FILES = [file for stage in STAGES for file in sorted((REPOSITORY / stage).rglob("*.py"))]
# The first need the JVM in this process; serverless compute refuses the others.
ATTRIBUTES = {
    *("sparkContext", "rdd", "_jvm", "_jsc", "_sc", "_jdf", "_jc", "_jsparkSession", "_gateway"),
    *("persist", "cache", "unpersist", "cacheTable", "checkpoint", "createGlobalTempView"),
}
NAMES = {"SparkContext", "SparkConf", "RDD", "SQLContext", "HiveContext"}
MODULES = ("py4j", "pyspark.rdd", "pyspark.core", "pyspark.context", "pyspark.mllib", "pyspark.sql.classic")


def unknown_to_connect(source: str) -> Iterator[str]:
    """What a module uses that is not there, with its line."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(attr=name) if name in ATTRIBUTES | NAMES:
                yield f"{node.lineno}: .{name}"
            case ast.ImportFrom(module=str(module), names=names):
                yield from _imports(node.lineno, [module, *(f"{module}.{alias.name}" for alias in names)])
            case ast.Import(names=names):
                yield from _imports(node.lineno, [alias.name for alias in names])


def _imports(line: int, modules: list[str]) -> Iterator[str]:
    for module in modules:
        if module.startswith(MODULES) or module.rpartition(".")[2] in NAMES:
            yield f"{line}: import {module}"


def test_modules_of_each_stage_are_found() -> None:
    assert {file.relative_to(REPOSITORY).parts[0] for file in FILES} == set(STAGES)
    assert {"Train.py", "scoring.py", "delta.py"} <= {file.name for file in FILES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_a_stage_uses_what_spark_connect_has(file: Path) -> None:
    assert list(unknown_to_connect(file.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("spark.sparkContext.setJobGroup('a', 'b')", "1: .sparkContext"),
        ("\nrows.rdd.map(f)", "2: .rdd"),
        ("rows.join(other.persist(), 'k')", "1: .persist"),
        ("from pyspark import SparkContext", "1: import pyspark.SparkContext"),
        ("import py4j.java_gateway", "1: import py4j.java_gateway"),
        ("def f():\n    from pyspark.sql.classic.column import Column", "2: import pyspark.sql.classic.column"),
    ],
)
def test_what_is_not_there_is_found(source: str, found: str) -> None:
    assert found in list(unknown_to_connect(source))
