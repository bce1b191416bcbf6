"""A Spark session with Delta tables that stay: everything it writes is under one folder."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

from local_workspace.errors import LocalWorkspaceError
from local_workspace.jars import delta_jars

_QUIET_LOG = """
rootLogger.level = error
rootLogger.appenderRef.stderr.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n%ex
"""


def build_session(root: Path, *, cores: int = 2, settings: Mapping[str, str] | None = None) -> SparkSession:
    """Starts Spark, or returns the session that this process has already.

    Args:
        root: Where the warehouse and Spark's scratch files go.
        cores: How many tasks Spark runs at a time.
        settings: More of Spark's settings.
    """
    root.mkdir(parents=True, exist_ok=True)
    os.environ |= _python_workers()
    log_settings = root / "log4j2.properties"
    log_settings.write_text(_QUIET_LOG, encoding="utf-8")
    builder = SparkSession.builder.appName("local_workspace").master(f"local[{cores}]")
    for key, value in {**_SETTINGS, **_paths(root, log_settings), **(settings or {})}.items():
        builder = builder.config(key, value)
    with _jvm_messages_in(root / "spark.log"):
        spark = builder.getOrCreate()
    register_tables(spark, root / "warehouse")
    return spark


@contextmanager
def _jvm_messages_in(log: Path) -> Iterator[None]:
    """The JVM that starts within keeps this file as its standard error, which says little and nothing new."""
    saved = os.dup(2)
    try:
        with log.open("wb") as file:
            os.dup2(file.fileno(), 2)
        yield
    except PySparkRuntimeError as error:
        raise LocalWorkspaceError(f"Spark did not start: the reason is in '{log}'.") from error
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def _python_workers() -> dict[str, str]:
    """Spark's Python workers are this interpreter and see what this process imports from."""
    import_path = os.pathsep.join(path for path in sys.path if path)
    return {"PYSPARK_PYTHON": sys.executable, "PYTHONPATH": import_path}


def register_tables(spark: SparkSession, warehouse: Path) -> None:
    """Tells the in-memory catalog of the tables that earlier processes left in the warehouse.

    A metastore on disk (Hive with Derby) would remember them, and costs seconds at each start; columns,
    comments and properties are in each table's Delta log anyway.
    """
    for schema in sorted(warehouse.glob("*.db")):
        name = schema.name.removesuffix(".db")
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS `{name}`")
        for log in sorted(schema.glob("*/_delta_log")):
            table, location = log.parent.name, log.parent.as_uri()
            spark.sql(f"CREATE TABLE IF NOT EXISTS `{name}`.`{table}` USING DELTA LOCATION '{location}'")


def _paths(root: Path, log_settings: Path) -> dict[str, str]:
    jars = delta_jars()
    java_options = [
        "-Duser.timezone=UTC",
        f"-Dlog4j2.configurationFile={log_settings.as_uri()}",
        f"-Dderby.system.home={root}",
        "-XX:+UseParallelGC",
        # A run ends before what the second compiler does pays: a quarter of all processor time in the first days.
        "-XX:TieredStopAtLevel=1",
        # Room for compiled code: the default cache is small, and Spark fills it.
        "-XX:ReservedCodeCacheSize=512m",
        # Hadoop starts a process for each file that it makes, and two for each commit: without a helper in between.
        "-Djdk.lang.Process.launchMechanism=VFORK",
        # Classes of released jars, and of Spark's own making, need no second proof that they are sound.
        "-XX:+UnlockDiagnosticVMOptions",
        "-XX:-BytecodeVerificationRemote",
    ]
    return {
        "spark.sql.warehouse.dir": (root / "warehouse").as_uri(),
        "spark.local.dir": str(root / "spark"),
        "spark.driver.extraClassPath": ":".join(map(str, jars)),
        "spark.driver.extraJavaOptions": " ".join(java_options),
    }


_SETTINGS = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    # Where in Python a column was made, sent with each one, takes six times as long as making it.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
    # No checksum file beside each file: every second file that a write makes.
    "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
    "spark.hadoop.fs.AbstractFileSystem.file.impl": "org.apache.hadoop.fs.local.RawLocalFs",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "2g",
    "spark.python.daemon.module": "local_workspace.python_daemon",
    # As many workers as cores are at work already.
    "spark.executorEnv.OMP_NUM_THREADS": "1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "2",
    # With two partitions there is nothing to adapt, and each stage would be planned anew.
    "spark.sql.adaptive.enabled": "false",
    "spark.databricks.delta.snapshotPartitions": "1",
    # A merge writes each file anew in which a row changes: let a day's rows be in few, small ones.
    "spark.sql.files.maxRecordsPerFile": "20000",
    # A checksum a commit would cost a look at the whole table's log, for a check that nobody makes here.
    "spark.databricks.delta.writeChecksumFile.enabled": "false",
    # Jobs of the same tables give the same code: compiled once, and kept.
    "spark.sql.codegen.cache.maxEntries": "2000",
}
