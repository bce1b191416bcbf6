"""A Spark session whose Delta tables stay: all that it writes is under one folder."""

import getpass
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from pathlib import Path
from typing import cast

from pyspark.sql import SparkSession
from pyspark.sql.connect.client import ChannelBuilder, DefaultChannelBuilder
from pyspark.sql.connect.session import SparkSession as ConnectSession

from local_workspace import delta_log
from local_workspace.ending import stopped
from local_workspace.errors import LocalWorkspaceError

ENGINE_VARIABLE = "ENGINE"
WAREHOUSE = "warehouse"
_ENGINES = ("sail", "spark")

# An engine: a session on a server whose tables are under a folder, both for as long as the block lasts.
Engine = Callable[[Path], AbstractContextManager[SparkSession]]


@contextmanager
def open_session(root: Path) -> Iterator[SparkSession]:
    """Starts the engine that the environment names, and a session on it that ends with the block.

    Args:
        root: Where the warehouse and the engine's scratch files go.

    Raises:
        LocalWorkspaceError: There is no such engine, or it did not start.
    """
    root.mkdir(parents=True, exist_ok=True)
    # An error that a query raises is told by whoever asked; the client would print a stack trace of its own before.
    logging.getLogger("pyspark.sql.connect").setLevel(logging.CRITICAL)
    logging.getLogger("pyspark.sql.connect.logging").setLevel(logging.CRITICAL)
    with _plain(root) as plain, _engine()(plain) as spark:
        if spark.conf.get(delta_log.WAREHOUSE_SETTING, None) is None:
            spark.conf.set(delta_log.WAREHOUSE_SETTING, (root / WAREHOUSE).as_uri())
        register_tables(spark, plain / WAREHOUSE)
        yield spark


@contextmanager
def _plain(folder: Path) -> Iterator[Path]:
    """A folder's path, or that of a link to it, which is the same written as a URI.

    Sail writes a space, an accent or a percent sign of a location as in a URI, and again when it writes files: they
    would be in folders beside this one. The JVM's options are split at spaces.
    """
    if folder.as_uri() == f"file://{folder}":
        yield folder
        return
    # There on every POSIX system; what `TMPDIR` names could have such signs too.
    with tempfile.TemporaryDirectory(prefix="local-workspace-", dir="/tmp") as made:
        link = Path(made) / "root"
        link.symlink_to(folder, target_is_directory=True)
        yield link


def register_tables(spark: SparkSession, warehouse: Path) -> None:
    """Tells the in-memory catalog of the tables that earlier processes left in the warehouse.

    Columns, comments and properties are in each table's Delta log.
    """
    for schema in sorted(warehouse.glob("*.db")):
        name = schema.name.removesuffix(".db")
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS `{name}`")
    for table, folder in delta_log.tables(warehouse).items():
        spark.sql(f"CREATE TABLE IF NOT EXISTS {table} USING DELTA LOCATION '{folder.as_uri()}'")


@contextmanager
def connected(channel: DefaultChannelBuilder) -> Iterator[SparkSession]:
    """A session on a server of this machine, for as long as the block lasts."""
    channel.set(ChannelBuilder.PARAM_USER_ID, getpass.getuser())
    spark = ConnectSession.builder.channelBuilder(channel).getOrCreate()
    with stopped(spark.stop):
        # One that does not answer has ended: nothing is asked again, and no answer is kept to be fetched again.
        spark.client.set_retry_policies([])
        spark.client.disable_reattachable_execute()
        spark.conf.set("spark.sql.session.timeZone", "UTC")
        yield cast(SparkSession, spark)


def _engine() -> Engine:
    name = os.environ.get(ENGINE_VARIABLE) or "sail"
    if name not in _ENGINES:
        raise LocalWorkspaceError(
            f"There is no engine '{name}': set {ENGINE_VARIABLE} to one of {', '.join(_ENGINES)}."
        )
    engine: Engine = import_module(f"local_workspace.engine.{name}").connect
    return engine
