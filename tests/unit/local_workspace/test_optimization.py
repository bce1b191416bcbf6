"""Tables of many small files are written together before a job; their rows stay as they are."""

import pytest

from local_workspace import delta_log, optimization
from local_workspace.bundle import load_bundle
from local_workspace.local_jobs import make_runner
from local_workspace.optimization import optimize_tables

MANY = 12  # more commits than a checkpoint is made after


@pytest.fixture
def schema(spark, workspace):
    spark.sql("CREATE SCHEMA written")
    yield workspace.root / "warehouse" / "written.db"
    spark.sql("DROP SCHEMA written CASCADE")


def write(spark, table, files):
    for number in range(files):
        spark.range(number, number + 1).coalesce(1).write.format("delta").mode("append").saveAsTable(f"written.{table}")


def test_a_table_of_many_files_has_few_then_and_the_same_rows(spark, schema, monkeypatch):
    monkeypatch.setattr(optimization, "_MANY_FILES", MANY - 1)
    write(spark, "often", MANY)
    optimize_tables(spark)
    assert len(delta_log.files(schema / "often")) <= 2
    assert sorted(row.id for row in spark.table("written.often").collect()) == list(range(MANY))
    version = delta_log.version(schema / "often")
    optimize_tables(spark)
    assert delta_log.version(schema / "often") == version


def test_others_are_left_as_they_are(spark, schema, monkeypatch):
    monkeypatch.setattr(optimization, "_MANY_FILES", MANY)
    write(spark, "often", MANY)
    (schema / "no-table").mkdir()
    optimize_tables(spark)
    assert delta_log.version(schema / "often") == MANY - 1


def test_a_local_job_begins_with_it(spark, schema, bundle, monkeypatch):
    monkeypatch.setattr(optimization, "_MANY_FILES", MANY - 1)
    write(spark, "often", MANY)
    bundle.notebook("Nothing")
    bundle.job("j", "- {task_key: a, notebook_task: {notebook_path: ../notebooks/Nothing.py}}\n")
    runner = make_runner(load_bundle(bundle.root, environ={}), lambda: spark)
    assert not runner.run(runner.prepare("j")).failed
    assert len(delta_log.files(schema / "often")) <= 2


def test_it_comes_before_the_first_task_and_not_within_a_job(bundle, record):
    bundle.notebook("Record", "spark.record('task')")
    bundle.job("inner", "- {task_key: a, notebook_task: {notebook_path: ../notebooks/Record.py}}\n")
    bundle.job("outer", "- {task_key: b, run_job_task: {job_id: '${resources.jobs.inner.id}'}}\n")
    bundle.run("outer", upkeep=lambda: record.append("upkeep"))
    assert record == ["upkeep", "task"]
