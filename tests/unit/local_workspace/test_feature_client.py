"""The stand-in for databricks.feature_engineering: tables, point-in-time training sets, models and scores."""

import asyncio
import importlib
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

import mlflow
import pandas as pd
import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sklearn.linear_model import LinearRegression

from local_workspace.workspace import Workspace, find_workspace
from project.delta import enable_change_data_feed

pytestmark = pytest.mark.homes("local", "connect", reason="about the stand-in, which never reaches a workspace")

PRICES, CUSTOMERS = "spark_catalog.feature_client.prices", "spark_catalog.feature_client.customers"
MODEL = "spark_catalog.feature_client.returned"
EIGHT, NINE, TEN = (datetime(2024, 7, 1, hour) for hour in (8, 9, 10))


@pytest.fixture(scope="module")
def package(spark: SparkSession) -> ModuleType:
    # MLflow imports `databricks.sdk`; the namespace looks again, now that the workspace has set the path.
    importlib.reload(importlib.import_module("databricks"))
    return importlib.import_module("databricks.feature_engineering")


@pytest.fixture(scope="module")
def client(spark: SparkSession, package: ModuleType) -> Any:
    spark.sql("CREATE SCHEMA IF NOT EXISTS feature_client")
    client = package.FeatureEngineeringClient()
    prices = spark.createDataFrame(
        [("Alder", EIGHT, 5.0, 1), ("Alder", NINE, None, 2), ("Birch", EIGHT, 7.0, 3)],
        "shop string, known_at timestamp, price double, hour int",
    )
    client.create_table(
        name=PRICES,
        primary_keys=["shop", "known_at"],
        timeseries_column="known_at",
        df=prices,
        description="Hourly prices",
        tags={"owner": "shops"},
    )
    customers = spark.createDataFrame([("N1", 100), ("N2", 200)], "customer string, credit int")
    client.create_table(name=CUSTOMERS, primary_keys="customer", df=customers)
    return client


@pytest.fixture(scope="module")
def scratch(client: Any, spark: SparkSession) -> str:
    """A table that refuses rows first, and is changed then."""
    name = "spark_catalog.feature_client.scratch"
    client.create_table(
        name=name, primary_keys="k", df=spark.createDataFrame([("a", 1, 1.0)], "k string, n int, x double")
    )
    return name


def test_a_tables_name_is_taken_without_quotes_as_on_databricks(client: Any) -> None:
    # JVM Spark has its own words for such a schema.
    with pytest.raises((ValueError, AnalysisException), match=r"could not be found|single-part namespace"):
        client.read_table(name=".".join(f"`{part}`" for part in PRICES.split(".")))


def requests(spark: SparkSession, *rows: tuple[Any, ...]) -> DataFrame:
    return spark.createDataFrame(list(rows), "shop string, asked_at timestamp, customer string, returned int")


def looked_up(client: Any, package: ModuleType, df: DataFrame, **options: Any) -> list[tuple[Any, ...]]:
    """The customer, price and hour of each row."""
    lookup = package.FeatureLookup(
        table_name=PRICES,
        lookup_key="shop",
        timestamp_lookup_key="asked_at",
        feature_names=["price", "hour"],
        **options,
    )
    training_set = client.create_training_set(df=df, feature_lookups=[lookup], label="returned")
    return sorted((row["customer"], row["price"], row["hour"]) for row in training_set.load_df().collect())


SEEN: dict[str, tuple[str | None, datetime, tuple[Any, ...]]] = {
    "a tie is seen": ("Alder", EIGHT, (5.0, 1)),
    "the future is not": ("Alder", EIGHT - timedelta(microseconds=1), (None, None)),
    "just before the next": ("Alder", NINE - timedelta(microseconds=1), (5.0, 1)),
    "a NULL in the latest stays": ("Alder", NINE, (None, 2)),
    "the latest, however old": ("Alder", TEN, (None, 2)),
    "a key without rows": ("SFO", TEN, (None, None)),
    "a NULL key": (None, TEN, (None, None)),
}


@pytest.fixture(scope="module")
def seen(spark: SparkSession, client: Any, package: ModuleType) -> list[tuple[Any, ...]]:
    """What all cases get, in one question."""
    asked = [(shop, asked_at, case, 1) for case, (shop, asked_at, _) in SEEN.items()]
    return looked_up(client, package, requests(spark, *asked))


@pytest.mark.parametrize("case", SEEN)
def test_lookup_sees_the_latest_row(seen: list[tuple[Any, ...]], case: str) -> None:
    assert [found for name, *found in seen if name == case] == [list(SEEN[case][2])]


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (timedelta(hours=2), (7.0, 3)),
        (timedelta(hours=2) - timedelta(microseconds=1), (None, None)),
        (timedelta(0), (None, None)),
    ],
)
def test_lookback_window_is_inclusive(
    spark: SparkSession, client: Any, package: ModuleType, window: timedelta, expected: tuple[Any, ...]
) -> None:
    asked = requests(spark, ("Birch", TEN, "N1", 1))
    assert looked_up(client, package, asked, lookback_window=window) == [("N1", *expected)]


def test_rows_twice_stay_and_rows_without_a_time_go(spark: SparkSession, client: Any, package: ModuleType) -> None:
    asked = requests(spark, *[("Birch", TEN, "N1", 1)] * 2, ("Birch", None, "N1", 1))
    assert looked_up(client, package, asked) == [("N1", 7.0, 3)] * 2


def test_training_set_has_columns_then_features_then_label(
    spark: SparkSession, client: Any, package: ModuleType
) -> None:
    lookups = [
        package.FeatureLookup(table_name=CUSTOMERS, lookup_key="customer", rename_outputs={"credit": "size"}),
        package.FeatureLookup(table_name=PRICES, lookup_key=["shop"], timestamp_lookup_key="asked_at"),
    ]
    training_set = client.create_training_set(
        df=requests(spark, ("Birch", TEN, "N2", 1)).withColumn("distance", F.lit(1.5)),
        feature_lookups=lookups,
        label="returned",
        exclude_columns=["shop", "asked_at", "customer"],
    )
    assert training_set.load_df().columns == ["distance", "size", "hour", "price", "returned"]
    assert training_set.load_df().collect() == [(1.5, 200, 3, 7.0, 1)]


def test_table_knows_its_keys_and_description(client: Any) -> None:
    table = client.get_table(name=PRICES)
    assert table.name == PRICES
    assert (table.primary_keys, table.timestamp_keys) == (["shop", "known_at"], ["known_at"])
    assert table.features == ["shop", "known_at", "price", "hour"]
    assert (table.description, table.tags) == ("Hourly prices", {"owner": "shops"})


def test_table_that_is_there_is_returned_untouched(client: Any, spark: SparkSession) -> None:
    table = client.create_table(
        name=CUSTOMERS, primary_keys="customer", df=spark.createDataFrame([("N9", 9)], "customer string, credit int")
    )
    assert table == client.get_table(name=CUSTOMERS)
    assert client.read_table(name=CUSTOMERS).count() == 2


REFUSED: dict[str, tuple[list[Any], str]] = {
    "Non-unique": ([("c", 1), ("c", 2)], "k string, n int"),
    "NULL": ([(None, 1)], "k string, n int"),
    "'n' is int .* and bigint": ([("c", 1)], "k string, n bigint"),
    "lacks .'k'.": ([(1,)], "n int"),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_rows_that_do_not_fit_are_refused(client: Any, spark: SparkSession, scratch: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        client.write_table(name=scratch, df=spark.createDataFrame(*REFUSED[reason]))
    assert client.read_table(name=scratch).collect() == [("a", 1, 1.0)]


def test_write_updates_inserts_and_adds_columns(client: Any, spark: SparkSession, scratch: str) -> None:
    client.write_table(name=scratch, df=spark.createDataFrame([("a", 5), ("b", 6)], "k string, n int"))
    client.write_table(name=scratch, df=spark.createDataFrame([("b", True)], "k string, `new.one` boolean"))
    written = client.read_table(name=scratch)
    assert written.columns == ["k", "n", "x", "new.one"]
    assert sorted(written.collect()) == [("a", 5, 1.0, None), ("b", 6, None, True)]
    client.drop_table(name=scratch)
    with pytest.raises(ValueError, match="could not be found"):
        client.read_table(name=scratch)


def test_time_series_takes_whole_rows_only(client: Any, spark: SparkSession) -> None:
    part = spark.createDataFrame([("Alder", TEN, 1.0)], "shop string, known_at timestamp, price double")
    with pytest.raises(ValueError, match=r"lacks .'hour'."):
        client.write_table(name=PRICES, df=part)


def test_time_series_needs_a_timestamp(client: Any, spark: SparkSession) -> None:
    daily = spark.createDataFrame([("a", EIGHT.date())], "k string, day date")
    with pytest.raises(NotImplementedError, match="timeseries_column of type date"):
        client.create_table(name=f"{CUSTOMERS}_daily", primary_keys=["k", "day"], timeseries_column="day", df=daily)


@pytest.fixture(scope="module")
def batch(spark: SparkSession, client: Any, package: ModuleType, workspace: Workspace) -> DataFrame:
    """Registers a model whose prediction is distance + 10 hour + 100 credit; returns rows to score."""
    df = requests(spark, ("Alder", EIGHT, "N1", 1), ("Alder", TEN, "N2", 0), ("Birch", NINE, "N1", 1))
    df = df.withColumn("distance", F.lit(0.5))
    lookups = [
        package.FeatureLookup(
            table_name=PRICES, lookup_key="shop", timestamp_lookup_key="asked_at", feature_names="hour"
        ),
        package.FeatureLookup(table_name=CUSTOMERS, lookup_key="customer"),
    ]
    training_set = client.create_training_set(
        df=df, feature_lookups=lookups, label="returned", exclude_columns=["shop", "asked_at", "customer"]
    )
    inputs = pd.DataFrame({"distance": [0.0, 1, 0, 0], "hour": [0.0, 0, 1, 0], "credit": [0.0, 0, 0, 1]})
    model = LinearRegression().fit(inputs, [0, 1, 10, 100])
    experiment = mlflow.create_experiment("feature_client", workspace.artifacts.as_uri())
    with mlflow.start_run(experiment_id=experiment):
        client.log_model(
            model=model,
            artifact_path="model",
            flavor=mlflow.sklearn,
            training_set=training_set,
            registered_model_name=MODEL,
            pip_requirements=["scikit-learn"],
        )
    mlflow.MlflowClient().set_registered_model_alias(MODEL, "champion", "1")
    return df.drop("returned")


def scores(df: DataFrame) -> dict[tuple[Any, ...], float]:
    return {(row["shop"], row["asked_at"]): round(row["prediction"], 6) for row in df.collect()}


@pytest.mark.parametrize("version", ["/1", "@champion"])
def test_score_batch_looks_features_up(client: Any, batch: DataFrame, version: str) -> None:
    scored = client.score_batch(model_uri=f"models:/{MODEL}{version}", df=batch)
    assert scored.columns == [*batch.columns, "hour", "credit", "prediction"]
    assert scores(scored) == {("Alder", EIGHT): 10010.5, ("Alder", TEN): 20020.5, ("Birch", NINE): 10030.5}


def test_features_in_the_dataframe_win(client: Any, batch: DataFrame) -> None:
    scored = client.score_batch(model_uri=f"models:/{MODEL}/1", df=batch.withColumn("credit", F.lit(0)))
    assert scores(scored) == {("Alder", EIGHT): 10.5, ("Alder", TEN): 20.5, ("Birch", NINE): 30.5}


def test_missing_column_is_named(client: Any, batch: DataFrame) -> None:
    with pytest.raises(ValueError, match="asked_at"):
        client.score_batch(model_uri=f"models:/{MODEL}/1", df=batch.drop("asked_at"))


def test_model_predicts_without_the_client(batch: DataFrame) -> None:
    given = pd.DataFrame({"shop": ["Alder"], "customer": ["N1"], "distance": [0.5], "hour": [1], "credit": [2]})
    given = given.astype({"hour": "int32", "credit": "int32"})
    uri = f"models:/{MODEL}@champion"
    assert mlflow.pyfunc.load_model(uri).predict(given) == pytest.approx([210.5])
    raw = mlflow.sklearn.load_model(f"{uri}/data/feature_store/raw_model")
    assert raw.predict(given[["distance", "hour", "credit"]]) == pytest.approx([210.5])


def test_a_model_with_an_example_is_logged_whatever_type_its_keys_have(
    client: Any, package: ModuleType, spark: SparkSession, batch: DataFrame
) -> None:
    name = f"{CUSTOMERS}_by_number"
    gates = spark.createDataFrame([(1, 5.0)], "gate int, width double")
    client.create_table(name=name, primary_keys="gate", df=gates)
    training_set = client.create_training_set(
        df=spark.createDataFrame([(1, 0.0)], "gate int, returned double"),
        feature_lookups=[package.FeatureLookup(table_name=name, lookup_key="gate")],
        label="returned",
        exclude_columns=["gate"],
    )
    example = pd.DataFrame({"width": [5.0, 6.0]})
    with mlflow.start_run(experiment_id=mlflow.get_experiment_by_name("feature_client").experiment_id):
        client.log_model(
            model=LinearRegression().fit(example, [0, 1]),
            artifact_path="model",
            flavor=mlflow.sklearn,
            training_set=training_set,
            registered_model_name=f"{MODEL}_by_gate",
            input_example=example,
            pip_requirements=["scikit-learn"],
        )
    scored = client.score_batch(model_uri=f"models:/{MODEL}_by_gate/1", df=training_set.df.drop("returned"))
    assert [round(row["prediction"], 6) for row in scored.collect()] == [0.0]


@pytest.mark.parametrize(
    ("method", "argument"),
    [
        ("create_training_set", {"use_spark_native_join": True}),
        ("create_training_set", {"feature_spec": "spec"}),
        ("create_training_set", {"features": [1]}),
        ("create_training_set", {"some_new_argument": 1}),
        ("score_batch", {"use_spark_native_join": True}),
        ("write_table", {"checkpoint_location": "/tmp"}),  # noqa: S108 (never written)
        ("write_table", {"trigger": {"once": True}}),
        ("log_model", {"infer_input_example": True}),
        ("create_table", {"path": "/tmp"}),  # noqa: S108 (never written)
        ("publish_table", {"streaming": True}),
        ("publish_table", {"filter_condition": "hour > 1"}),
    ],
)
def test_unsupported_argument_is_named(spark: SparkSession, client: Any, method: str, argument: dict[str, Any]) -> None:
    given: dict[str, dict[str, Any]] = {
        "create_training_set": {"df": spark.range(1), "label": None},
        "score_batch": {"df": spark.range(1), "model_uri": "models:/none/1"},
        "write_table": {"df": spark.range(1), "name": CUSTOMERS},
        "log_model": {"model": None, "artifact_path": "model", "flavor": mlflow.sklearn},
        "create_table": {"df": spark.range(1), "name": "none", "primary_keys": "id"},
        "publish_table": {
            "online_store": None,
            "source_table_name": CUSTOMERS,
            "online_table_name": f"{CUSTOMERS}_online",
        },
    }
    with pytest.raises(NotImplementedError, match=next(iter(argument))):
        getattr(client, method)(**given[method], **argument)


def test_unsupported_names_are_named(client: Any, package: ModuleType, spark: SparkSession) -> None:
    with pytest.raises(NotImplementedError, match="create_feature_spec"):
        client.create_feature_spec(name="f", features=[])
    with pytest.raises(NotImplementedError, match="FeatureFunction"):
        package.FeatureFunction(udf_name="f", input_bindings={})
    with pytest.raises(NotImplementedError, match="default_values"):
        package.FeatureLookup(PRICES, "shop", default_values={"price": 0.0})
    with pytest.raises(NotImplementedError, match="str"):
        client.create_training_set(df=spark.range(1), feature_lookups=["function"], label=None)


def test_two_windows_on_one_table_are_refused(client: Any, package: ModuleType, spark: SparkSession) -> None:
    lookups = [
        package.FeatureLookup(
            PRICES, "shop", feature_names=name, timestamp_lookup_key="asked_at", lookback_window=window
        )
        for name, window in (("price", None), ("hour", timedelta(hours=1)))
    ]
    with pytest.raises(NotImplementedError, match="two_lookback_windows"):
        client.create_training_set(
            df=requests(spark, ("Alder", TEN, "N1", 1)), feature_lookups=lookups, label="returned"
        )


def latest(name: str, *keys: str) -> dict[str, Any]:
    """What a served model finds in a published table for a row with these keys: the feature `price`."""
    from databricks.feature_engineering.point_in_time import JoinKeys  # noqa: PLC0415 (as `package`)
    from databricks.feature_engineering.spec import LookedUpColumn  # noqa: PLC0415

    from local_workspace.api.documents import Documents  # noqa: PLC0415
    from local_workspace.serving.features import OnlineStore  # noqa: PLC0415

    price = LookedUpColumn("price", name, "price", JoinKeys(keys=(("store", "shop"),)))
    store = OnlineStore(Documents(find_workspace().online_store / "tables"))
    table = asyncio.run(store.current())[name]
    return dict(zip(keys, table.find({"store": list(keys)}, price), strict=True))


def test_a_published_table_gives_each_keys_latest_row_as_it_was_published(client: Any, spark: SparkSession) -> None:
    name, online = "spark_catalog.feature_client.winds", "spark_catalog.feature_client.winds_online"
    schema = "shop string, known_at timestamp, price double"
    rows = spark.createDataFrame(
        [("Alder", NINE, 6.0), ("Alder", EIGHT, 5.0), ("Birch", EIGHT, 7.0), ("Cedar", EIGHT, None)], schema
    )
    client.create_table(name=name, primary_keys=["shop", "known_at"], timeseries_column="known_at", df=rows)
    assert client.get_online_store(name="shop") is None
    store = client.create_online_store(name="shop", capacity="CU_1")
    assert client.get_online_store(name="shop") == store
    with pytest.raises(ValueError, match="already exists"):
        client.create_online_store(name="shop", capacity="CU_1")
    with pytest.raises(ValueError, match="requires change data feed"):
        client.publish_table(online_store=store, source_table_name=name, online_table_name=online)
    enable_change_data_feed(spark, name)
    client.publish_table(online_store=store, source_table_name=name, online_table_name=online)
    expected = {"Alder": 6.0, "Birch": 7.0, "Cedar": None, "none": None}
    assert latest(name, *expected) == expected
    client.write_table(name=name, df=spark.createDataFrame([("Birch", TEN, 8.0), ("Alder", NINE, 9.0)], schema))
    assert latest(name, *expected) == expected, "what was written since is not published yet"
    client.publish_table(online_store=store, source_table_name=name, online_table_name=online)
    assert latest(name, *expected) == expected | {"Birch": 8.0, "Alder": 9.0}
    with pytest.raises(ValueError, match="different source table"):
        client.publish_table(online_store=store, source_table_name=CUSTOMERS, online_table_name=online)


def test_a_publication_that_cant_be_is_refused(client: Any, spark: SparkSession, package: ModuleType) -> None:
    elsewhere = package.DatabricksOnlineStore(name="elsewhere", capacity="CU_1")
    with pytest.raises(ValueError, match="'elsewhere' not found"):
        client.publish_table(
            online_store=elsewhere, source_table_name=CUSTOMERS, online_table_name=f"{CUSTOMERS}_online"
        )
    with pytest.raises(ValueError, match="CU_3"):
        client.create_online_store(name="third", capacity="CU_3")
    with pytest.raises(ValueError, match="source_table_name"):
        client.publish_table(online_store=elsewhere, online_table_name="a.b.c")
    store = client.create_online_store(name="other", capacity="CU_1")
    with pytest.raises(ValueError, match="not valid"):
        client.publish_table(online_store=store, source_table_name=CUSTOMERS, online_table_name="customers_online")
