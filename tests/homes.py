"""Where the tests' Spark runs: on the local engine, on JVM Spark behind Databricks' client, or in a workspace.

`pytest --home` chooses, and this module alone knows the difference. A test that some homes can't give what it needs
names those that can: `@pytest.mark.homes("local", "connect", reason="...")`.
"""

import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from local_workspace.engine import ENGINE_VARIABLE, open_session
from local_workspace.environment import clean_environment
from project.tables import Tables
from tests.unit.tables import InputTables, SentTables

CATALOG_VARIABLE = "BUNDLE_VAR_catalog"
# A name that needs quotes, as a team's may; the catalog of open-source Spark takes letters, digits and _ alone.
LOCAL_PREFIX = "" if os.environ.get(ENGINE_VARIABLE) == "spark" else "ml-"
# One task a stage, and no compiling of queries that see a few rows: half the time, the same results.
_FEW_ROWS = {
    "spark.sql.leafNodeDefaultParallelism": "1",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.databricks.delta.stats.collect": "false",
}


@dataclass(frozen=True)
class Home:
    """One place for the tests' Spark.

    Attributes:
        start: opens the session; it gets a folder that this test session alone uses.
        catalog: where schemas are made.
        schema_prefix: what their names begin with, so that runs side by side never meet.
        few_rows: settings for a handful of rows.
        make_inputs: makes tables to read; it gets the session and a folder of this machine.
    """

    start: Callable[[Path], AbstractContextManager[SparkSession]]
    catalog: str
    schema_prefix: str
    few_rows: Mapping[str, str]
    make_inputs: Callable[[SparkSession, Path], InputTables]

    @contextmanager
    def schema(self, spark: SparkSession, name: str) -> Iterator[Tables]:
        """A schema that is there for the length of the block, as the names of its tables."""
        tables = Tables(self.catalog, f"{self.schema_prefix}{name}")
        spark.sql(f"CREATE SCHEMA {tables.full_schema}")
        try:
            yield tables
        finally:
            spark.sql(f"DROP SCHEMA {tables.full_schema} CASCADE")


def make_home(name: str) -> Home:
    """The home of a name in `HOMES`.

    Raises:
        pytest.UsageError: the environment lacks what it needs; it says what.
    """
    return HOMES[name]()


def _local() -> Home:
    clean_environment()
    for name in [name for name in os.environ if name.startswith("BUNDLE_VAR_")]:
        del os.environ[name]
    return Home(open_session, "spark_catalog", LOCAL_PREFIX, _FEW_ROWS, InputTables)


def _connect() -> Home:
    if "SPARK_REMOTE" not in os.environ:
        raise pytest.UsageError("--home connect needs a server: run it with 'make test-connect'")
    return Home(_connect_session, "spark_catalog", "", _FEW_ROWS, InputTables)


def _databricks() -> Home:
    catalog = os.environ.get(CATALOG_VARIABLE)
    if not catalog:
        raise pytest.UsageError(f"--home databricks needs {CATALOG_VARIABLE}: a catalog where you may make schemas")
    # A serverless session refuses most settings, and needs none.
    return Home(_workspace_session, catalog, f"tests_{uuid.uuid4().hex[:8]}_", {}, lambda spark, _: SentTables(spark))


HOMES: Mapping[str, Callable[[], Home]] = {"local": _local, "connect": _connect, "databricks": _databricks}


@contextmanager
def _connect_session(_: Path) -> Iterator[SparkSession]:
    from databricks.connect import DatabricksSession  # noqa: PLC0415 (in the Connect environment alone)

    session: SparkSession = DatabricksSession.builder.getOrCreate()
    yield session
    session.stop()


@contextmanager
def _workspace_session(_: Path) -> Iterator[SparkSession]:
    from databricks.connect import DatabricksEnv, DatabricksSession  # noqa: PLC0415

    # What the contract's checks and the metrics import in Python workers: our modules, and packages in our versions.
    environment = DatabricksEnv().withAutoDependencies()
    session: SparkSession = DatabricksSession.builder.serverless().withEnvironment(environment).getOrCreate()
    yield session
    session.stop()
