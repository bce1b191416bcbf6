"""The session finds the tables that an earlier process left, and keeps time in UTC."""

import json
import os
import shutil
import subprocess
import sys
from queue import SimpleQueue

import pytest

from local_workspace import delta_log
from local_workspace.engine.session import register_tables
from local_workspace.workers import Workers
from local_workspace.workspace import REPOSITORY

STARTS = "import pathlib, local_workspace.engine as e\nwith e.open_session(pathlib.Path.cwd()): pass"
# Sail runs the function in this process: it says that the query is under way, and holds it there.
IS_INTERRUPTED = """
import os, pathlib, sys, threading
from pyspark.sql.functions import udf
from local_workspace.engine import open_session

sys.is_under_way, sys.goes_on = threading.Event(), threading.Event()

def held(number):
    import sys
    sys.is_under_way.set()
    sys.goes_on.wait()
    return number

try:
    with open_session(pathlib.Path.cwd()) as spark:
        query = threading.Thread(target=lambda: print(spark.range(7, 8).select(udf(held, "bigint")("id")).first()[0]))
        query.start()
        sys.is_under_way.wait()
        raise KeyboardInterrupt
except KeyboardInterrupt:
    sys.goes_on.set()
    query.join()
    sys.stdout.flush()
    os._exit(130)
"""


def test_tables_are_found_by_their_folders_with_comments_and_properties(spark, workspace, tmp_path):
    spark.sql("CREATE SCHEMA IF NOT EXISTS left_behind")
    spark.sql("CREATE TABLE left_behind.t (id INT COMMENT 'the key') USING DELTA")
    spark.sql("ALTER TABLE left_behind.t SET TBLPROPERTIES ('team' = 'sales')")
    spark.sql("INSERT INTO left_behind.t VALUES (1), (2)")
    warehouse = workspace.root / "warehouse"
    shutil.copytree(warehouse / "left_behind.db", warehouse / "found_again.db")
    register_tables(spark, warehouse)
    register_tables(spark, warehouse)
    table = spark.table("spark_catalog.found_again.t")
    assert table.count() == 2
    (column,) = json.loads(delta_log.metadata(warehouse / "found_again.db" / "t")["schemaString"])["fields"]
    assert column["metadata"] == {"comment": "the key"}
    properties = spark.sql("SHOW TBLPROPERTIES found_again.t ('team')").collect()
    assert properties[0].value == "sales"


def test_time_is_utc(spark):
    assert spark.sql("SELECT current_timezone() AS zone").first().zone == "UTC"
    assert spark.sql("SELECT CAST(TIMESTAMP '2024-01-01 00:00:00' AS BIGINT) AS s").first().s == 1704067200


def test_a_task_in_a_thread_has_the_session(spark):
    answers = SimpleQueue()
    Workers(1).submit(lambda: answers.put(type(spark).active().range(3).count()))
    assert answers.get(timeout=60) == 3


def start_with(tmp_path, code=STARTS, **variables):
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY), **variables}
    return subprocess.run(  # noqa: S603 (our own interpreter)
        [sys.executable, "-c", code], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )


def test_an_engine_that_there_is_not_is_refused_in_one_sentence(tmp_path):
    assert (
        "There is no engine 'flink': set ENGINE to one of sail, spark." in start_with(tmp_path, ENGINE="flink").stderr
    )


@pytest.mark.homes("connect", reason="about the server of JVM Spark")
def test_without_java_it_says_where_the_reason_is(tmp_path):
    done = start_with(tmp_path, ENGINE="spark", JAVA_HOME=str(tmp_path))
    assert "Spark did not start: the reason is in" in done.stderr.splitlines()[-1]
    assert (tmp_path / "spark.log").stat().st_size > 0


def test_an_interrupt_leaves_a_thread_its_query(tmp_path):
    """Where it is cut off, the client's next call can crash the process."""
    done = start_with(tmp_path, IS_INTERRUPTED, ENGINE="sail")
    assert (done.returncode, done.stdout) == (130, "7\n"), done.stderr
