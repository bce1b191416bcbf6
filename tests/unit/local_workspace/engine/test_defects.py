"""Each defect of Sail is refused by name, is still there, and has a form that is right on every engine."""
# ruff: noqa: S608 (rows and names of our own)

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from local_workspace.engine.defects import DEFECTS, EngineDefectError
from local_workspace.workspace import REPOSITORY
from project.delta import append_once, has, replace_rows
from tests.unit.local_workspace.engine.conftest import on_sail

NAN = float("nan")
Ask = Callable[[SparkSession, Path], object]


@dataclass(frozen=True)
class Case:
    defect: str
    ask: Ask
    wrong: object
    portable: Ask
    right: object


def sql(query: str) -> Ask:
    """The first column of a query, in order of the second, if there is one."""
    return lambda spark, _: [row[0] for row in sorted(spark.sql(query).collect(), key=lambda row: row[1:])]


def table(spark: SparkSession, folder: Path, rows: str, parts: tuple[str, ...] = ("p",)) -> str:
    """A table of rows (p STRING, v INT)."""
    schema = f"spark_catalog.{folder.name}"
    spark.sql(f"CREATE SCHEMA IF NOT EXISTS {schema} LOCATION '{folder.as_uri()}'")
    frame = spark.sql(f"SELECT CAST(p AS STRING) AS p, CAST(v AS INT) AS v FROM VALUES {rows} AS t(p, v)")
    frame.write.format("delta").partitionBy(*parts).saveAsTable(f"{schema}.t")
    return f"{schema}.t"


def values(rows: DataFrame) -> list[object]:
    return sorted(row.v for row in rows.select("v").collect())


PARTS = "('a', 1), ('b', 2), (NULL, 3)"


def new_part(spark: SparkSession) -> DataFrame:
    return spark.sql("SELECT 'a' AS p, 9 AS v")


def replace_with_option(key: str, value: str) -> Ask:
    def ask(spark: SparkSession, folder: Path) -> object:
        name = table(spark, folder, PARTS)
        new_part(spark).write.format("delta").mode("overwrite").option(key, value).saveAsTable(name)
        return values(spark.table(name))

    return ask


def replace_in_sql(spark: SparkSession, folder: Path) -> object:
    name = table(spark, folder, PARTS, parts=())
    spark.sql(f"INSERT INTO {name} REPLACE WHERE p = 'a' SELECT 'a', 9")
    return values(spark.table(name))


def replace_part(spark: SparkSession, folder: Path) -> object:
    name = table(spark, folder, PARTS)
    replace_rows(spark, name, new_part(spark), F.col("p") == "a")
    return values(spark.table(name))


def append_twice(spark: SparkSession, folder: Path) -> object:
    name = table(spark, folder, "('a', 1)")
    for _ in range(2):
        once = new_part(spark).write.format("delta").mode("append").option("txnAppId", "me").option("txnVersion", "1")
        once.saveAsTable(name)
    return values(spark.table(name))


def append_twice_at_most_once(spark: SparkSession, folder: Path) -> object:
    name = table(spark, folder, "('a', 1)")
    for _ in range(2):
        append_once(spark, name, new_part(spark), has(name, {"v": 9}))
    return values(spark.table(name))


def add_column_to_path(spark: SparkSession, folder: Path) -> object:
    new_part(spark).write.format("delta").save(str(folder))
    wider = new_part(spark).withColumn("more", F.lit("x"))
    wider.write.format("delta").mode("append").option("mergeSchema", "true").save(str(folder))
    return spark.read.format("delta").load(str(folder)).columns


def add_column_to_table(spark: SparkSession, folder: Path) -> object:
    name = table(spark, folder, PARTS)
    wider = new_part(spark).withColumn("more", F.lit("x"))
    wider.write.format("delta").mode("append").option("mergeSchema", "true").saveAsTable(name)
    return spark.table(name).columns


def read_changes(spark: SparkSession, folder: Path) -> object:
    return values(
        spark.read.option("readChangeFeed", "true").option("startingVersion", "1").table(changed(spark, folder))
    )


def compare(spark: SparkSession, folder: Path) -> object:
    name = changed(spark, folder)
    return values(spark.table(name).exceptAll(spark.sql(f"SELECT p, v FROM VALUES {PARTS} AS t(p, v)")))


def changed(spark: SparkSession, folder: Path) -> str:
    name = table(spark, folder, PARTS)
    new_part(spark).write.format("delta").mode("append").saveAsTable(name)
    return name


def partition_files(spark: SparkSession, folder: Path) -> object:
    new_part(spark).write.partitionBy("v").parquet(f"{folder}/files")
    return spark.read.parquet(f"{folder}/files").schema["v"].dataType.simpleString()


def partition_table(spark: SparkSession, folder: Path) -> object:
    new_part(spark).write.format("delta").partitionBy("v").save(f"{folder}/files")
    return spark.read.format("delta").load(f"{folder}/files").schema["v"].dataType.simpleString()


def csv(folder: Path) -> str:
    file = folder / "landed.csv"
    file.write_text("x\n1\nNA\n", encoding="utf-8")
    return str(file)


def reading(**options: object) -> Ask:
    def ask(spark: SparkSession, folder: Path) -> object:
        return [
            row.a for row in spark.read.options(header=True, **options).schema("a STRING").csv(csv(folder)).collect()
        ]

    return ask


def na_is_null(spark: SparkSession, folder: Path) -> object:
    rows = spark.read.options(header=True).schema("a STRING").csv(csv(folder))
    return [row.a for row in rows.select(F.nullif("a", F.lit("NA")).alias("a")).collect()]


def infer(spark: SparkSession, folder: Path) -> object:
    (folder / "whole.csv").write_text("x\n1\n", encoding="utf-8")
    return spark.read.options(header=True, inferSchema=True).csv(f"{folder}/whole.csv").dtypes


def say_schema(spark: SparkSession, folder: Path) -> object:
    (folder / "whole.csv").write_text("x\n1\n", encoding="utf-8")
    return spark.read.options(header=True).schema("x INT").csv(f"{folder}/whole.csv").dtypes


def earlier_table(spark: SparkSession, folder: Path) -> str:
    """A table as a session finds it that did not make it."""
    new_part(spark).write.format("delta").save(f"{folder}/earlier")
    spark.sql(f"CREATE SCHEMA IF NOT EXISTS {folder.name} LOCATION '{folder.as_uri()}'")
    spark.sql(f"CREATE TABLE {folder.name}.earlier USING DELTA LOCATION '{(folder / 'earlier').as_uri()}'")
    return f"{folder.name}.earlier"


def describe(spark: SparkSession, folder: Path) -> object:
    return [row[0] for row in spark.sql(f"DESCRIBE TABLE {earlier_table(spark, folder)}").collect()]


def input_files(spark: SparkSession, folder: Path) -> object:
    new_part(spark).write.format("delta").save(str(folder))
    return spark.read.format("delta").load(str(folder)).inputFiles()


def pairs(spark: SparkSession) -> DataFrame:
    return spark.sql("SELECT * FROM VALUES ('r', 'x'), ('r', NULL) AS t(r, c)")


def twice(spark: SparkSession) -> tuple[DataFrame, DataFrame]:
    return spark.sql("SELECT 1 AS v UNION ALL SELECT 1"), spark.sql("SELECT 1 AS v")


STRUCTS = "FROM VALUES (1, 5), (2, NULL) AS t(k, v)"
WINDOW = "OVER (ORDER BY k ROWS BETWEEN 1 PRECEDING AND 1 PRECEDING)"

CASES = (
    Case(
        "weekday()",
        sql("SELECT weekday(DATE'2024-01-07')"),
        [-1],
        sql("SELECT (dayofweek(DATE'2024-01-07') + 5) % 7"),
        [6],
    ),
    Case(
        "the part DOW of a date",
        sql("SELECT extract(DOW FROM DATE'2024-01-07')"),
        [0],
        sql("SELECT dayofweek(DATE'2024-01-07')"),
        [1],
    ),
    Case(
        "timestampdiff() in days",
        sql("SELECT timestampdiff(DAY, TIMESTAMP'2024-01-01 12:00:00', TIMESTAMP'2024-01-02 11:00:00')"),
        [1],
        sql(
            "SELECT (unix_micros(TIMESTAMP'2024-01-02 11:00:00') - unix_micros(TIMESTAMP'2024-01-01 12:00:00'))"
            " div 86400000000"
        ),
        [0],
    ),
    Case(
        "isnan()",
        sql("SELECT isnan(v), k FROM VALUES (1, NULL), (2, 1D), (3, double('NaN')) AS t(k, v)"),
        [None, False, True],
        sql(
            "SELECT v IS NOT NULL AND nanvl(v, NULL) IS NULL, k"
            " FROM VALUES (1, NULL), (2, 1D), (3, double('NaN')) AS t(k, v)"
        ),
        [False, False, True],
    ),
    Case("rint()", sql("SELECT rint(2.5D)"), [3.0], sql("SELECT bround(2.5D)"), [2.0]),
    Case(
        "floor() or ceil() with a number of digits",
        sql("SELECT double(floor(3.49D, 1))"),
        [3.5],
        sql("SELECT floor(3.49D * 10) / 10"),
        [3.4],
    ),
    Case(
        "approx_percentile()",
        sql("SELECT approx_percentile(v, 0.5) FROM VALUES (1), (2), (3), (3) AS t(v)"),
        [2.75],
        sql("SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY v) FROM VALUES (1), (2), (3), (3) AS t(v)"),
        [2],
    ),
    Case(
        "summary()",
        lambda spark, _: spark.sql("SELECT * FROM VALUES (1D), (2D), (3D) AS t(v)").summary("25%").first().v,
        "1.25",
        sql("SELECT percentile_disc(0.25) WITHIN GROUP (ORDER BY v) FROM VALUES (1D), (2D), (3D) AS t(v)"),
        [1.0],
    ),
    Case(
        "crosstab()",
        lambda spark, _: pairs(spark).crosstab("r", "c").columns,
        ["r_c", "x"],
        lambda spark, _: pairs(spark).groupBy("r").pivot("c").count().columns,
        ["r", "null", "x"],
    ),
    Case(
        "max(), min(), max_by(), min_by() or least() of structs",
        sql(f"SELECT max(struct(v, k)).k {STRUCTS}"),
        [2],
        sql(f"SELECT max(struct(v IS NOT NULL, v, k)).k {STRUCTS}"),
        [1],
    ),
    Case(
        "array_sort(), array_max() or array_min() of structs",
        sql(f"SELECT transform(array_sort(collect_list(struct(v, k))), s -> s.k) {STRUCTS}"),
        [[1, 2]],
        sql(f"SELECT transform(sort_array(collect_list(struct(v, k))), s -> s.k) {STRUCTS}"),
        [[2, 1]],
    ),
    Case(
        "collect_list() over a window",
        sql(f"SELECT collect_list(v) {WINDOW}, k FROM VALUES (1, 5), (2, NULL), (3, 6) AS t(k, v)"),
        [None, [5], [None]],
        sql(f"SELECT coalesce(array_agg(v) {WINDOW}, array()), k FROM VALUES (1, 5), (2, NULL), (3, 6) AS t(k, v)"),
        [[], [5], []],
    ),
    Case(
        "array_contains()",
        sql("SELECT array_contains(array(1, NULL), 2)"),
        [False],
        sql("SELECT exists(array(1, NULL), item -> item = 2)"),
        [None],
    ),
    Case(
        "get()",
        sql("SELECT get(array(1, 2, 3), k) FROM VALUES (-2) AS t(k)"),
        [3],
        sql("SELECT CASE WHEN k >= 0 THEN try_element_at(array(1, 2, 3), k + 1) END, k FROM VALUES (-2), (0) AS t(k)"),
        [None, 1],
    ),
    Case(
        "initcap()",
        sql("SELECT initcap('new-YORK city')"),
        ["New-York City"],
        sql(
            "SELECT array_join(transform(split(lower('new-YORK city'), ' '),"
            " w -> concat(upper(left(w, 1)), substring(w, 2))), ' ')"
        ),
        ["New-york City"],
    ),
    Case(
        "split() by an empty text",
        sql("SELECT split('ab', '')"),
        [["", "a", "b", ""]],
        sql("SELECT regexp_extract_all('ab', '(?s).', 0)"),
        [["a", "b"]],
    ),
    Case(
        "a doubled quote in a text of SQL",
        sql("SELECT 'it''s'"),
        ["its"],
        sql("SELECT 'it\\'s'"),
        ["it's"],
    ),
    Case(
        "intersectAll()",
        lambda spark, _: values(twice(spark)[0].intersectAll(twice(spark)[1])),
        [1, 1],
        lambda spark, _: values(twice(spark)[0].intersect(twice(spark)[1])),
        [1],
    ),
    Case("the option replaceWhere", replace_with_option("replaceWhere", "p = 'a'"), [9], replace_part, [2, 3, 9]),
    Case("INSERT INTO ... REPLACE WHERE", replace_in_sql, [2, 9], replace_part, [2, 3, 9]),
    Case(
        "partitionOverwriteMode=dynamic",
        replace_with_option("partitionOverwriteMode", "dynamic"),
        [9],
        replace_part,
        [2, 3, 9],
    ),
    Case("the option txnAppId", append_twice, [1, 9, 9], append_twice_at_most_once, [1, 9]),
    Case(
        "the option mergeSchema when a path is written",
        add_column_to_path,
        ["p", "v"],
        add_column_to_table,
        ["p", "v", "more"],
    ),
    Case("the option readChangeFeed", read_changes, [1, 2, 3, 9], compare, [9]),
    Case("writing files (no Delta table) with partitionBy()", partition_files, "string", partition_table, "int"),
    Case("the option inferSchema", infer, [("x", "bigint")], say_schema, [("x", "int")]),
    *(
        Case(defect.name, reading(nullValue="NA"), ["1", "NA"], na_is_null, ["1", None])
        for defect in DEFECTS
        if "nullvalue" in defect.name
    ),
    Case(
        "the option enforceSchema=False",
        reading(enforceSchema=False),
        ["1", "NA"],
        lambda spark, folder: spark.read.option("header", True).csv(csv(folder)).columns,
        ["x"],
    ),
    Case(
        "DESCRIBE TABLE or catalog.listColumns()",
        describe,
        [],
        lambda spark, folder: spark.table(earlier_table(spark, folder)).schema.names,
        ["p", "v"],
    ),
    Case("inputFiles()", input_files, [], lambda spark, _: values(new_part(spark)), [9]),
)


def name_of(case: Case) -> str:
    return re.sub(r"\W+", "_", case.defect)[:40]


def test_every_defect_has_a_case_and_every_case_a_defect():
    assert sorted(case.defect for case in CASES) == sorted(defect.name for defect in DEFECTS)


@on_sail
@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_it_is_refused_by_name_with_the_portable_form(spark, tmp_path, case):
    (defect,) = (one for one in DEFECTS if one.name == case.defect)
    with pytest.raises(EngineDefectError) as refused:
        case.ask(spark, tmp_path)
    assert str(refused.value).startswith(f"{defect.name} is wrong on the local engine (Sail): ")
    assert defect.instead in str(refused.value)


@on_sail
@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_it_is_still_there_without_the_guard(unguarded, tmp_path, case):
    assert case.ask(unguarded, tmp_path) == case.wrong, f"{case.defect} is mended: the entry can go"


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_the_portable_form_is_right(spark, tmp_path, case):
    assert case.portable(spark, tmp_path) == case.right


FACTS = "SELECT 1 AS k, DATE'2024-01-07' AS day, 2.5D AS v, 'a b' AS s, array(1, 2) AS items"

IN_MANY_WAYS: dict[str, Callable[[SparkSession, DataFrame], object]] = {
    "expr": lambda _, rows: rows.select(F.expr("weekday(day)")).collect(),
    "upper case and a space": lambda _, rows: rows.selectExpr("WEEKDAY (day)").collect(),
    "filter text": lambda _, rows: rows.filter("weekday(day) = 1").count(),
    "beneath a join": lambda _, rows: rows.filter(F.weekday("day") == 1).join(rows, "k").count(),
    "call_function": lambda _, rows: rows.select(F.call_function("WeekDay", "day")).collect(),
    "statement": lambda spark, _: spark.sql("SELECT weekday(day) FROM facts").collect(),
    "quoted": lambda spark, _: spark.sql("SELECT `weekday`(day) FROM facts").collect(),
    "statement in a statement": lambda spark, _: spark.sql("WITH t AS (SELECT weekday(day) FROM facts) FROM t").count(),
    "statement with parameters": lambda spark, _: spark.sql("SELECT weekday(:d)", args={"d": "2024-01-07"}).collect(),
    "key of a group": lambda _, rows: rows.groupBy(F.weekday("day")).count().collect(),
    "key of an order": lambda _, rows: rows.orderBy(F.weekday("day")).collect(),
    "in an aggregate": lambda _, rows: rows.agg(F.sum(F.weekday("day"))).collect(),
    "part of a window": lambda _, rows: rows.select(F.sum("v").over(Window.partitionBy(F.weekday("day")))).collect(),
    "in a lambda": lambda _, rows: rows.select(F.transform("items", lambda _: F.weekday("day"))).collect(),
    "view": lambda _, rows: rows.select(F.weekday("day")).createOrReplaceTempView("weekdays"),
    "asked for its schema": lambda _, rows: rows.select(F.weekday("day")).schema,
    "DOW in a plan": lambda _, rows: rows.select(F.extract(F.lit("dow"), "day")).collect(),
    "DOW of date_part": lambda _, rows: rows.selectExpr("date_part('DOW', day)").collect(),
    "days in a plan": lambda _, rows: rows.select(F.timestamp_diff("day", "day", "day")).collect(),
    "days of datediff": lambda spark, _: spark.sql("SELECT datediff(DAY, day, day) FROM facts").collect(),
    "struct in a plan": lambda _, rows: rows.agg(F.max(F.struct("v", "s"))).collect(),
    "struct over a window": lambda _, rows: rows.select(F.min(F.struct("v")).over(Window.partitionBy("k"))).collect(),
    "struct of brackets": lambda spark, _: spark.sql("SELECT max(((v, s))) FROM facts").collect(),
    "named struct": lambda _, rows: rows.selectExpr("min(named_struct('a', v))").collect(),
    "struct with a name": lambda _, rows: rows.withColumn("z", F.struct("v")).agg(F.max("z")).collect(),
    "struct named in SQL": lambda spark, _: spark.sql(
        "SELECT max(z) FROM (SELECT struct(v) AS z FROM facts)"
    ).collect(),
    "struct in an expr": lambda _, rows: rows.agg(F.max(F.expr("(v, s)"))).collect(),
    "struct as an order": lambda _, rows: rows.agg(F.max_by("v", F.struct("v", "s"))).collect(),
    "structs in a list": lambda _, rows: rows.agg(F.array_max(F.collect_list(F.struct("v")))).collect(),
    "list over a named window": lambda spark, _: spark.sql(
        "SELECT collect_list(v) OVER w FROM facts WINDOW w AS (PARTITION BY k)"
    ).collect(),
    "split in a plan": lambda _, rows: rows.select(F.split("s", "")).collect(),
    "quote in a filter": lambda _, rows: rows.filter("s = 'O''Neil'").count(),
    "INTERSECT ALL": lambda spark, _: spark.sql("SELECT 1 INTERSECT  all SELECT 1").collect(),
    "setting": lambda spark, _: spark.conf.set("spark.sql.sources.partitionOverwriteMode", "dynamic"),
    "columns of the catalog": lambda spark, _: spark.catalog.listColumns("facts"),
    "DESC after a comment": lambda spark, _: spark.sql("/* the columns */ desc facts").collect(),
}

NOT_MEANT: dict[str, Callable[[SparkSession, DataFrame], object]] = {
    "names of columns": lambda _, rows: rows.select(F.col("v").alias("isnan"), F.col("k").alias("get")).collect(),
    "texts and comments": lambda spark, _: spark.sql(
        "SELECT 'weekday(x)', \"isnan(\" -- rint(v)\n FROM facts /* get(1) */"
    ).collect(),
    "literals": lambda _, rows: rows.select(F.lit("weekday(day)"), F.lit("it''s")).collect(),
    "quoted name": lambda spark, _: spark.sql("SELECT v AS `weekday(day)` FROM facts").collect(),
    "name of a query": lambda spark, _: spark.sql("WITH weekday(x) AS (SELECT 1) SELECT * FROM weekday").collect(),
    "name of a table": lambda spark, _: spark.sql("SELECT * FROM VALUES (1) AS weekday(get)").collect(),
    "brackets": lambda spark, _: spark.sql(
        "SELECT max((v)), min((v + 1)) FROM facts WHERE s IN ('a', ('b'))"
    ).collect(),
    "other forms of a function": lambda _, rows: rows.select(F.floor("v"), F.expr("datediff(day, day)")).collect(),
    "other units": lambda spark, _: spark.sql(
        "SELECT extract(DAY FROM day), date_part('month', day) FROM facts"
    ).collect(),
    "struct with a rank": lambda _, rows: rows.agg(F.max(F.struct(F.col("v").isNotNull(), "v"))).collect(),
    "list of a group": lambda _, rows: rows.groupBy("k").agg(F.collect_list("v")).collect(),
    "window after a list": lambda spark, _: spark.sql(
        "SELECT size(collect_list(v)), sum(sum(v)) OVER () FROM facts GROUP BY k"
    ).collect(),
    "sorted numbers": lambda _, rows: rows.select(F.array_sort("items"), F.split("s", " ")).collect(),
    "quotes": lambda spark, _: spark.sql(
        """SELECT '', 'a' 'b', "it's", 'it\\'s', r'\\d', '{"a":""}', "a''b" """
    ).collect(),
    "order": lambda spark, _: spark.sql("SELECT v AS describe FROM facts ORDER BY v DESC").collect(),
    "INTERSECT": lambda _, rows: rows.select("k").intersect(rows.select("k")).collect(),
    "schema": lambda spark, _: spark.sql("DESCRIBE SCHEMA default").collect(),
}


@pytest.fixture
def facts(spark):
    rows = spark.sql(FACTS)
    rows.createOrReplaceTempView("facts")
    yield rows
    spark.catalog.dropTempView("facts")


@on_sail
@pytest.mark.parametrize("way", IN_MANY_WAYS)
def test_it_is_found_however_it_is_written(spark, facts, way):
    with pytest.raises(EngineDefectError):
        IN_MANY_WAYS[way](spark, facts)


@on_sail
@pytest.mark.parametrize("way", NOT_MEANT)
def test_what_only_looks_like_it_runs(spark, facts, way):
    NOT_MEANT[way](spark, facts)


def test_the_document_has_every_defect():
    document = (REPOSITORY / "docs" / "engines.md").read_text(encoding="utf-8")
    assert [one for one in DEFECTS if f"| {one.name} | {one.wrong} | {one.instead} |" not in document] == []
