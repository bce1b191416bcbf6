"""The server process of the engine `spark`: `python -m local_workspace.jvm.server ROOT`, in `.venv-spark`.

It prints its port once it listens, and lives until its standard input ends.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from pyspark.sql import SparkSession

from local_workspace.jvm.jars import delta_jars

_QUIET_LOG = """
rootLogger.level = error
rootLogger.appenderRef.stderr.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n%ex
"""


def main() -> None:
    """Serves until nobody is there any more to ask."""
    root = Path(sys.argv[1])
    spark = start(root)
    service = getattr(spark._jvm, "org.apache.spark.sql.connect.service.SparkConnectService$")
    print(getattr(service, "MODULE$").localPort(), flush=True)
    sys.stdin.read()


def start(root: Path) -> SparkSession:
    """Starts the JVM, with Spark's own session and a Spark Connect server in it."""
    log_settings = root / "log4j2.properties"
    log_settings.write_text(_QUIET_LOG, encoding="utf-8")
    builder = SparkSession.builder.appName("local_workspace").master("local[2]")
    for key, value in {**_SETTINGS, **_paths(root, log_settings)}.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def _paths(root: Path, log_settings: Path) -> Mapping[str, str]:
    java_options = [
        "-Duser.timezone=UTC",
        f"-Dlog4j2.configurationFile={log_settings.as_uri()}",
        f"-Dderby.system.home={root}",
        "-XX:+UseParallelGC",
        # A run ends before what the second compiler does pays.
        "-XX:TieredStopAtLevel=1",
        # Room for compiled code: the default cache is small, and Spark fills it.
        "-XX:ReservedCodeCacheSize=512m",
    ]
    return {
        "spark.sql.warehouse.dir": (root / "warehouse").as_uri(),
        "spark.local.dir": str(root / "spark"),
        "spark.driver.extraClassPath": ":".join(map(str, delta_jars())),
        "spark.driver.extraJavaOptions": " ".join(java_options),
    }


_SETTINGS = {
    "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
    "spark.connect.grpc.binding.address": "127.0.0.1",
    # Any port that is free: servers side by side do not collide.
    "spark.connect.grpc.binding.port": "0",
    # As a bare number: Spark 4.1 would tell it with a unit, which Databricks' client does not read.
    "spark.sql.session.localRelationSizeLimit": str(3 * 1024**3),
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    # No checksum file beside each file: every second file that a write makes.
    "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
    "spark.hadoop.fs.AbstractFileSystem.file.impl": "org.apache.hadoop.fs.local.RawLocalFs",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "2g",
    "spark.python.daemon.module": "local_workspace.jvm.python_daemon",
    # As many workers as cores are at work already.
    "spark.executorEnv.OMP_NUM_THREADS": "1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "2",
    # With two partitions there is nothing to adapt, and each stage would be planned anew.
    "spark.sql.adaptive.enabled": "false",
    "spark.databricks.delta.snapshotPartitions": "1",
    # A checksum a commit would cost a look at the whole table's log, for a check that nobody makes here.
    "spark.databricks.delta.writeChecksumFile.enabled": "false",
    # Jobs of the same tables give the same code: compiled once, and kept.
    "spark.sql.codegen.cache.maxEntries": "2000",
}

if __name__ == "__main__":
    main()
