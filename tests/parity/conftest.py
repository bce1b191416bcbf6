"""One Spark session, and both clients in it: the real one as `real`, the stand-in as `local`."""

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import mlflow
import pytest
from delta import configure_spark_with_delta_pip
from pyspark.sql import SparkSession

sys.path.insert(0, str(Path(__file__).parent))

import open_source_spark
import workspace_api

STAND_IN = Path(__file__).parents[2] / "local_workspace/site/databricks/feature_engineering"

os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    folder = tmp_path_factory.mktemp("spark")
    builder = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
        .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.default.parallelism", "1")
        .config("spark.databricks.delta.snapshotPartitions", "1")
        .config("spark.sql.session.timeZone", "UTC")
        # Many queries on few rows: compiling them well would take longer than running them does.
        .config("spark.sql.codegen.wholeStage", "false")
        .config("spark.sql.adaptive.enabled", "false")
        .config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC -XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
    )
    session = configure_spark_with_delta_pip(builder).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    session.sql("CREATE SCHEMA parity")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def tracking(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("mlflow")
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.set_registry_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.set_experiment(experiment_id=mlflow.create_experiment("parity", f"file:{folder}/artifacts"))


@pytest.fixture(scope="session")
def real(spark: SparkSession, tracking: None) -> Iterator[ModuleType]:
    """databricks-feature-engineering, talking to a workspace that this test plays."""
    with pytest.MonkeyPatch.context() as patch, workspace_api.serve(spark) as address:
        patch.setenv("DATABRICKS_HOST", address)
        patch.setenv("DATABRICKS_TOKEN", "none")
        open_source_spark.replace_databricks_sql(patch)
        yield importlib.import_module("databricks.feature_engineering")


@pytest.fixture(scope="session")
def local(spark: SparkSession, tracking: None) -> ModuleType:
    """The stand-in, under another name: both packages have the same one."""
    name = "local_feature_engineering"
    spec = importlib.util.spec_from_file_location(name, STAND_IN / "__init__.py")
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[name] = package
    spec.loader.exec_module(package)
    return package
