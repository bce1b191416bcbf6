"""Statements that Sail lacks are answered from the warehouse's files, and no file outside it is touched."""

import json

import pytest
from pyspark.errors import PySparkException

from local_workspace.engine.session import register_tables
from local_workspace.engine.statements import PROPERTIES_FILE
from tests.unit.local_workspace.engine.conftest import on_sail

pytestmark = on_sail

OUTSIDE = ("../../outside/t", "..", "t/../../../outside/t", "a b")


@pytest.fixture
def schema(spark, workspace):
    spark.sql("CREATE SCHEMA said")
    yield workspace.root / "warehouse" / "said.db"
    spark.sql("DROP SCHEMA said CASCADE")


@pytest.fixture
def table(spark, schema):
    spark.sql("CREATE TABLE said.t (id INT) USING DELTA TBLPROPERTIES ('made' = 'yes')")
    return schema / "t"


def shown(spark, statement):
    return {row.key: row.value for row in spark.sql(statement).collect()}


@pytest.mark.parametrize("name", ["said.t", "spark_catalog.said.t", "`spark_catalog`.`said`.`t`", "`said`.t"])
def test_a_table_is_found_by_each_form_of_its_name(spark, table, name):
    spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('team' = 'sales')")
    assert shown(spark, f"SHOW TBLPROPERTIES {name}") == {"made": "yes", "team": "sales"}


def test_properties_are_merged_and_of_any_text(spark, table):
    spark.sql("""alter table said.t set tblproperties ('a' = 'it\\'s, (1) = "x"', "b.c" = "zür 日本", n = 5);""")
    spark.sql("ALTER TABLE said.t SET TBLPROPERTIES ('n' = 'six')")
    assert shown(spark, "show tblproperties said.t") == {
        "made": "yes",
        "a": """it's, (1) = "x\"""",
        "b.c": "zür 日本",
        "n": "six",
    }


def test_one_property_and_one_that_there_is_not(spark, table):
    assert shown(spark, "SHOW TBLPROPERTIES said.t ('made')") == {"made": "yes"}
    assert shown(spark, "SHOW TBLPROPERTIES said.t ('none')") == {"none": None}


def test_properties_lie_beside_the_table_where_a_second_session_finds_them(spark, table):
    spark.sql("ALTER TABLE said.t SET TBLPROPERTIES ('team' = 'sales')")
    assert json.loads((table / PROPERTIES_FILE).read_text(encoding="utf-8")) == {"team": "sales"}
    spark.sql("INSERT INTO said.t VALUES (1)")
    assert spark.table("said.t").count() == 1


def test_a_dropped_table_takes_its_properties_with_it(spark, table):
    spark.sql("ALTER TABLE said.t SET TBLPROPERTIES ('team' = 'sales')")
    spark.sql("DROP TABLE said.t")
    spark.sql("CREATE TABLE said.t (other STRING) USING DELTA")
    assert shown(spark, "SHOW TBLPROPERTIES said.t") == {}


@pytest.mark.parametrize("statement", ["SHOW TBLPROPERTIES said.none", "DESCRIBE HISTORY said.none"])
def test_a_table_that_there_is_not_is_said_by_its_name(spark, schema, statement):
    with pytest.raises(PySparkException, match=r"TABLE_OR_VIEW_NOT_FOUND.*said\.none"):
        spark.sql(statement).collect()


def test_history_is_newest_first_and_may_be_cut(spark, table):
    for number in range(2):
        spark.sql(f"INSERT INTO said.t VALUES ({number})")  # noqa: S608 (a number)
    spark.sql("DELETE FROM said.t WHERE id = 0")
    history = spark.sql("DESC HISTORY said.t").collect()
    assert [(row.version, row.operation) for row in history] == [
        (3, "DELETE"),
        (2, "WRITE"),
        (1, "WRITE"),
        (0, "CREATE TABLE"),
    ]
    assert history[1].operationMetrics["numOutputRows"] == "1"
    assert history[1].timestamp >= history[2].timestamp
    assert [row.version for row in spark.sql("describe history said.t limit 2;").collect()] == [3, 2]


@pytest.mark.parametrize(
    "statement",
    ["DROP TABLE said.t", "drop table if exists spark_catalog.said.t;", "/* done */ DROP TABLE `said`.`t` PURGE"],
)
def test_a_dropped_table_leaves_no_files(spark, table, statement):
    spark.sql(statement)
    assert not table.exists()
    assert not spark.catalog.tableExists("said.t")


def test_a_schema_with_tables_is_dropped_only_with_cascade(spark, table):
    with pytest.raises(PySparkException, match="CASCADE"):
        spark.sql("DROP SCHEMA said")
    assert spark.table("said.t").count() == 0


def test_an_empty_schema_is_dropped(spark, workspace):
    spark.sql("CREATE DATABASE bare")
    spark.sql("CREATE TABLE bare.t (id INT) USING DELTA")
    spark.sql("DROP TABLE bare.t")
    spark.sql("DROP DATABASE bare")
    assert not (workspace.root / "warehouse" / "bare.db").exists()


def test_a_schema_may_have_a_comment_or_a_place_of_its_own(spark, workspace, tmp_path):
    spark.sql("CREATE SCHEMA said_more COMMENT 'its LOCATION is the warehouse'")
    spark.sql(f"CREATE SCHEMA said_elsewhere COMMENT 'x' LOCATION '{tmp_path.as_uri()}'")
    for name in ("said_more", "said_elsewhere"):
        spark.sql(f"CREATE TABLE {name}.t (id INT) USING DELTA")
    assert (workspace.root / "warehouse" / "said_more.db" / "t").is_dir()
    assert (tmp_path / "t").is_dir()
    for name in ("said_more", "said_elsewhere"):
        spark.sql(f"DROP SCHEMA {name} CASCADE")
    assert not (workspace.root / "warehouse" / "said_more.db").exists()
    assert (tmp_path / "t").is_dir()


def test_files_elsewhere_are_not_those_of_a_table_that_is_dropped(spark, schema, tmp_path):
    spark.range(2).write.format("delta").save(str(tmp_path / "files"))
    spark.sql(f"CREATE TABLE said.t USING DELTA LOCATION '{(tmp_path / 'files').as_uri()}'")
    spark.sql("DROP TABLE said.t")
    assert spark.read.format("delta").load(str(tmp_path / "files")).count() == 2


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("statement", ["DROP TABLE IF EXISTS said.`{}`", "DROP SCHEMA IF EXISTS `{}` CASCADE"])
def test_a_name_leads_nowhere_else(spark, schema, workspace, name, statement):
    outside = workspace.root / "outside" / "t"
    if not outside.exists():
        spark.range(1).write.format("delta").save(str(outside))
    with pytest.raises((ValueError, PySparkException)):
        spark.sql(statement.format(name))
    assert (outside / "_delta_log").is_dir()
    assert schema.parent.is_dir()


def test_a_view_is_dropped_as_one(spark, table):
    spark.sql("CREATE VIEW said.v AS SELECT 1 AS one")
    spark.sql("DROP VIEW said.v")
    assert table.is_dir()


def test_words_in_a_text_are_no_statement(spark, table):
    assert spark.sql("SELECT 'DROP TABLE said.t' AS text").first().text == "DROP TABLE said.t"
    assert table.is_dir()


def test_tables_are_registered_again_under_their_names(spark, table, workspace):
    spark.sql("INSERT INTO said.t VALUES (7)")
    register_tables(spark, workspace.root / "warehouse")
    assert [row.id for row in spark.table("spark_catalog.said.t").collect()] == [7]
