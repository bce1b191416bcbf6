"""The Spark session finds the tables that an earlier process left, and keeps time in UTC."""

import os
import shutil
import subprocess
import sys
from queue import SimpleQueue
from types import SimpleNamespace

from local_workspace.local_jobs import enter_task
from local_workspace.session import register_tables
from local_workspace.workers import Workers
from local_workspace.workspace import REPOSITORY


def test_tables_are_found_by_their_folders_with_comments_and_properties(spark, workspace, tmp_path):
    spark.sql("CREATE SCHEMA IF NOT EXISTS left_behind")
    spark.sql("CREATE TABLE left_behind.t (id INT COMMENT 'the key') USING DELTA TBLPROPERTIES ('team' = 'sales')")
    spark.sql("INSERT INTO left_behind.t VALUES (1), (2)")
    shutil.copytree(workspace.root / "warehouse" / "left_behind.db", tmp_path / "found_again.db")
    register_tables(spark, tmp_path)
    register_tables(spark, tmp_path)
    table = spark.table("spark_catalog.found_again.t")
    assert table.count() == 2
    assert table.schema["id"].metadata["comment"] == "the key"
    properties = spark.sql("SHOW TBLPROPERTIES found_again.t ('team')").collect()
    assert properties[0].value == "sales"


def test_time_is_utc_in_sql_and_in_the_jvm(spark):
    assert spark.sql("SELECT current_timezone() AS zone").first().zone == "UTC"
    assert spark._jvm.java.util.TimeZone.getDefault().getID() == "UTC"


def test_a_task_has_the_session_and_its_own_job_group(spark):
    answers = SimpleQueue()

    def work():
        enter_task(spark, SimpleNamespace(path=("job", "task"), job_group="task-7"))
        spark.range(3).count()
        jobs = spark.sparkContext.statusTracker().getJobIdsForGroup("task-7")
        answers.put((type(spark).getActiveSession() is not None, len(jobs) > 0))

    Workers(1).submit(work)
    assert answers.get(timeout=60) == (True, True)


def test_without_java_it_says_where_the_reason_is(tmp_path):
    code = "import pathlib, local_workspace.session as s; s.build_session(pathlib.Path.cwd())"
    environ = {**os.environ, "JAVA_HOME": str(tmp_path), "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(  # noqa: S603 (our own interpreter)
        [sys.executable, "-c", code], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    assert "Spark did not start: the reason is in" in done.stderr.splitlines()[-1]
    assert (tmp_path / "spark.log").stat().st_size > 0
