"""A model logged and scored by both clients."""

from datetime import datetime
from types import ModuleType
from typing import Any

import mlflow
import pytest
from comparison import Lookup, assert_same, error_of, minutes, training_set
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sklearn.ensemble import HistGradientBoostingRegressor

TABLE, STATIC = "spark_catalog.parity.scored_prices", "spark_catalog.parity.scored_customers"
MODEL = "spark_catalog.parity.{}"
INPUTS = ["distance", "discount", "price", "credit"]


def at(hour: int) -> datetime:
    return datetime(2024, 1, 1, hour)


@pytest.fixture(scope="module")
def asked(spark: SparkSession) -> DataFrame:
    rows = [
        (key, at(hour), customer, float(hour), hour % 2)
        for hour in range(1, 24)
        for key, customer in (("Birch", "N1"), ("Cedar", "N2"), ("Dogwood", "N3"), (None, None))
    ]
    return spark.createDataFrame(
        rows, "shop string, asked_at timestamp, customer string, distance double, returned int"
    )


@pytest.fixture(scope="module")
def logged(spark: SparkSession, local: ModuleType, real: ModuleType, asked: DataFrame) -> dict[str, ModuleType]:
    client = local.FeatureEngineeringClient()
    prices = spark.createDataFrame(
        [
            (key, at(hour), hour * 1.5 if hour % 3 else None, hour * 0.1)
            for hour in range(0, 20, 2)
            for key in ("Birch", "Cedar")
        ],
        "shop string, at timestamp, price double, discount double",
    )
    client.create_table(name=TABLE, primary_keys=["shop", "at"], timeseries_column="at", df=prices)
    customers = spark.createDataFrame([("N1", 100), ("N2", 200)], "customer string, credit int")
    client.create_table(name=STATIC, primary_keys="customer", df=customers)
    lookups = [
        Lookup(TABLE, ["shop"], {"timestamp_lookup_key": "asked_at", "lookback_window": minutes(120)}),
        Lookup(STATIC, ["customer"]),
    ]
    packages = {"local": local, "real": real}
    for name, package in packages.items():
        made = training_set(package, asked, lookups, label="returned", exclude_columns=["shop", "asked_at", "customer"])
        data = made.load_df().toPandas().sort_values(["distance", *INPUTS], ignore_index=True)
        model = HistGradientBoostingRegressor(min_samples_leaf=2).fit(data[INPUTS], data["returned"])
        with mlflow.start_run():
            returned = package.FeatureEngineeringClient().log_model(
                model=model,
                artifact_path="model",
                flavor=mlflow.sklearn,
                training_set=made,
                registered_model_name=MODEL.format(name),
                pip_requirements=["scikit-learn"],
            )
        assert returned is None
        mlflow.MlflowClient().set_registered_model_alias(MODEL.format(name), "champion", "1")
    return packages


CHANGES: dict[str, Any] = {
    "as it is": lambda df: df,
    "with the label and more": lambda df: df.select(F.lit("more").alias("more"), "*"),
    "with a feature": lambda df: df.select(F.lit(3.5).alias("price"), "*").drop("returned"),
    "with all features of a table": lambda df: df.withColumns({"discount": F.lit(0.5), "price": F.lit(3.5)}),
    "columns in another order": lambda df: df.select(*reversed(df.columns)),
    "without times": lambda df: df.withColumn("asked_at", F.lit(None).cast("timestamp")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_scores_are_the_same(change: str, asked: DataFrame, logged: dict[str, ModuleType]) -> None:
    version = "/1" if change == "as it is" else "@champion"
    batch = CHANGES[change](asked)
    ours, theirs = (
        package.FeatureEngineeringClient().score_batch(model_uri=f"models:/{MODEL.format(name)}{version}", df=batch)
        for name, package in logged.items()
    )
    assert_same(ours, theirs)


def test_result_types_are_the_same(asked: DataFrame, logged: dict[str, ModuleType]) -> None:
    ours, theirs = (
        package.FeatureEngineeringClient().score_batch(
            model_uri=f"models:/{MODEL.format(name)}/1", df=asked, result_type="string"
        )
        for name, package in logged.items()
    )
    assert_same(ours, theirs)


@pytest.mark.parametrize("column", ["shop", "asked_at", "distance"])
def test_a_missing_column_is_refused(column: str, asked: DataFrame, logged: dict[str, ModuleType]) -> None:
    for name, package in logged.items():
        client, uri = package.FeatureEngineeringClient(), f"models:/{MODEL.format(name)}/1"
        assert error_of(lambda: client.score_batch(model_uri=uri, df=asked.drop(column))) is ValueError  # noqa: B023


def test_a_prediction_column_is_refused(asked: DataFrame, logged: dict[str, ModuleType]) -> None:
    batch = asked.withColumn("prediction", F.lit(1.0))
    for name, package in logged.items():
        client, uri = package.FeatureEngineeringClient(), f"models:/{MODEL.format(name)}/1"
        assert error_of(lambda: client.score_batch(model_uri=uri, df=batch)) is ValueError  # noqa: B023


def test_the_model_itself_is_in_the_same_place(logged: dict[str, ModuleType]) -> None:
    for name in logged:
        uri = f"models:/{MODEL.format(name)}@champion"
        assert error_of(lambda: mlflow.sklearn.load_model(uri)) is mlflow.exceptions.MlflowException  # noqa: B023
        raw = mlflow.sklearn.load_model(f"{uri}/data/feature_store/raw_model")
        assert list(raw.feature_names_in_) == INPUTS


def test_signatures_are_the_same(logged: dict[str, ModuleType]) -> None:
    ours, theirs = (mlflow.models.get_model_info(f"models:/{MODEL.format(name)}/1").signature for name in logged)
    assert ours.inputs == theirs.inputs
    assert ours.outputs == theirs.outputs
