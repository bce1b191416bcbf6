"""The client: each method checks its arguments, then hands over to the module that does the work."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import mlflow
from mlflow.models import Model
from mlflow.utils.logging_utils import disable_logging
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from . import online_store as online_stores
from . import tables
from .identifiers import column, full_name, quoted
from .lookup import FeatureLookup, as_list
from .model_udf import model_udf
from .online_store import DatabricksOnlineStore, PublishedTable
from .packaged_model import DATA, RAW_MODEL, PackagedFlavor, read_spec
from .tables import FeatureTable
from .training_set import TrainingSet, look_up, plan
from .unsupported import refuse, refuse_unknown

_ON_DATABRICKS_ONLY = {
    "aggregate_features",
    "build_model_env",
    "compute_features",
    "create_feature",
    "create_feature_serving_endpoint",
    "create_feature_spec",
    "create_materialized_view",
    "delete_feature_serving_endpoint",
    "delete_feature_spec",
    "delete_feature_table_tag",
    "delete_online_store",
    "drop_online_table",
    "get_feature_serving_endpoint",
    "set_feature_table_tag",
    "update_feature_spec",
    "update_online_store",
}


class FeatureEngineeringClient:
    """Feature tables, training sets and batch scoring, on the active Spark session and on MLflow."""

    def __init__(self, *, model_registry_uri: str | None = None) -> None:
        """Takes no arguments: the registry is MLflow's own."""
        refuse(model_registry_uri=model_registry_uri)

    def __getattr__(self, name: str) -> object:
        """Refuses what the client offers on Databricks only, by name."""
        return refuse_unknown(name, _ON_DATABRICKS_ONLY, type(self).__name__)

    @property
    def _spark(self) -> SparkSession:
        return SparkSession.active()

    def create_table(
        self,
        *,
        name: str,
        primary_keys: str | list[str],
        df: DataFrame | None = None,
        timeseries_column: str | None = None,
        partition_columns: str | list[str] | None = None,
        schema: StructType | None = None,
        description: str | None = None,
        tags: dict[str, str] | None = None,
        timeseries_columns: str | list[str] | None = None,
        **unsupported: object,
    ) -> FeatureTable:
        """Creates a feature table and writes `df` into it; one that is there is returned as it is.

        Args:
            name: `<catalog>.<schema>.<table>`.
            primary_keys: The columns that identify a row, the time series column among them.
            df: The first rows; their schema becomes the table's.
            timeseries_column: The time from which on a row's features are known.
            partition_columns: Columns to partition the Delta table by.
            schema: The table's schema, when there are no rows yet.
            description: The table's comment.
            tags: Kept with the table.
            timeseries_columns: The former name of `timeseries_column`.
            unsupported: Arguments that the local client does not know.
        """
        refuse(**dict.fromkeys(unsupported, True))
        if self._spark.catalog.tableExists(quoted(full_name(self._spark, name))):
            return self.get_table(name=name)
        table_schema = _schema(df, schema)
        table = FeatureTable(
            name=full_name(self._spark, name),
            primary_keys=as_list(primary_keys),
            timestamp_keys=as_list(timeseries_column) or as_list(timeseries_columns),
            features=table_schema.fieldNames(),
            description=description or "",
            partition_columns=as_list(partition_columns),
            tags=tags or {},
        )
        tables.create(self._spark, table, table_schema, df)
        return self.get_table(name=name)

    def write_table(
        self,
        *,
        name: str,
        df: DataFrame,
        mode: str = "merge",
        checkpoint_location: str | None = None,
        trigger: dict[str, Any] | None = None,
    ) -> None:
        """Merges rows into a feature table: updates known primary keys, inserts new ones, adds new columns.

        Args:
            name: The feature table.
            df: Rows, each primary key once.
            mode: "merge" is the only one.
            checkpoint_location: Not supported by the local client.
            trigger: Not supported by the local client.
        """
        refuse(checkpoint_location=checkpoint_location, trigger=trigger, streaming=df.isStreaming)
        if mode != "merge":
            raise ValueError(f"Unsupported mode '{mode}': 'merge' is the only one.")
        tables.merge(self._spark, self.get_table(name=name), df)

    def read_table(self, *, name: str, **unsupported: object) -> DataFrame:
        """Reads all rows of a feature table."""
        refuse(**dict.fromkeys(unsupported, True))
        return tables.read(self._spark, name)

    def get_table(self, *, name: str) -> FeatureTable:
        """Reads what is known about a feature table."""
        return tables.get(self._spark, name)

    def drop_table(self, *, name: str) -> None:
        """Drops a feature table and its rows."""
        tables.drop(self._spark, name)

    def create_online_store(
        self, *, name: str, capacity: str, read_replica_count: int | None = None
    ) -> DatabricksOnlineStore:
        """Makes an online store.

        Args:
            name: Its name; one that is there already is an error.
            capacity: "CU_1", "CU_2", "CU_4" or "CU_8".
            read_replica_count: The number of read replicas.
        """
        return online_stores.create(name, capacity, read_replica_count)

    def get_online_store(self, *, name: str) -> DatabricksOnlineStore | None:
        """The online store of a name; None where there is none."""
        return online_stores.get(name)

    def publish_table(
        self,
        *,
        online_store: DatabricksOnlineStore,
        source_table_name: str | None = None,
        online_table_name: str | None = None,
        streaming: bool = False,
        **unsupported: object,
    ) -> PublishedTable:
        """Publishes a feature table to an online store, where its latest row of each key is found at request time.

        Args:
            online_store: What `create_online_store` or `get_online_store` gave.
            source_table_name: The feature table; its change data feed must be on.
            online_table_name: `<catalog>.<schema>.<table>` of the online table.
            streaming: Not supported by the local client.
            unsupported: Arguments that the local client does not know.
        """
        refuse(streaming=streaming, **dict.fromkeys(unsupported, True))
        if source_table_name is None:
            raise ValueError("source_table_name is required")
        if online_table_name is None:
            raise ValueError("online_table_name is required for Databricks online store")
        return online_stores.publish(self._spark, online_store, source_table_name, online_table_name)

    def create_training_set(
        self,
        *,
        df: DataFrame,
        feature_lookups: Sequence[FeatureLookup] | None = None,
        feature_spec: str | None = None,
        features: list[Any] | None = None,
        label: str | list[str] | None,
        exclude_columns: list[str] | None = None,
        use_spark_native_join: bool = False,
        **unsupported: object,
    ) -> TrainingSet:
        """Plans the lookup of features for rows with labels; `load_df` of the result does it.

        Args:
            df: Rows with lookup keys, labels and what else the model shall see.
            feature_lookups: What to look up.
            feature_spec: Not supported by the local client.
            features: Not supported by the local client.
            label: The label column or columns; None for no label.
            exclude_columns: Columns that the model shall not see, such as keys.
            use_spark_native_join: Not supported by the local client.
            unsupported: Arguments that the local client does not know.
        """
        refuse(
            feature_spec=feature_spec,
            features=features,
            use_spark_native_join=use_spark_native_join,
            streaming=df.isStreaming,
            **dict.fromkeys(unsupported, True),
        )
        if not feature_lookups:
            raise ValueError("feature_lookups must be given.")
        for lookup in feature_lookups:
            refuse(**{type(lookup).__name__: not isinstance(lookup, FeatureLookup)})
        return plan(df, feature_lookups, as_list(label), exclude_columns or [])

    def log_model(
        self,
        *,
        model: Any,
        artifact_path: str,
        flavor: ModuleType,
        training_set: TrainingSet | None = None,
        registered_model_name: str | None = None,
        await_registration_for: int = 300,
        infer_input_example: bool = False,
        **flavor_options: Any,
    ) -> None:
        """Logs a model with the specification of its features beside it.

        Args:
            model: The model that was trained on `training_set.load_df()`.
            artifact_path: The name of the logged model.
            flavor: The MLflow module that saves the model, such as `mlflow.sklearn`.
            training_set: Where the model's inputs come from.
            registered_model_name: The registered model to add a version to.
            await_registration_for: Seconds to wait for the version to be ready.
            infer_input_example: Not supported by the local client.
            flavor_options: Handed to the flavor's `save_model`.
        """
        refuse(infer_input_example=infer_input_example, output_schema=flavor_options.get("output_schema"))
        if training_set is None:
            raise ValueError("training_set must be given.")
        # What MLflow prints of each new version would run through the display of the tasks.
        disable_logging()  # type: ignore[no-untyped-call]
        Model.log(
            artifact_path=None,
            name=artifact_path,
            flavor=PackagedFlavor(flavor, training_set),
            registered_model_name=registered_model_name,
            await_registration_for=await_registration_for,
            model=model,
            **flavor_options,
        )

    def score_batch(
        self,
        *,
        model_uri: str,
        df: DataFrame,
        result_type: str = "double",
        env_manager: str = "local",
        params: dict[str, Any] | None = None,
        use_spark_native_join: bool = False,
        **unsupported: object,
    ) -> DataFrame:
        """Looks features up and adds a column `prediction`.

        Args:
            model_uri: A model that `log_model` logged.
            df: Rows with lookup keys; features that they have already are used as they are.
            result_type: The type of the prediction.
            env_manager: "local" is the only one that the local client supports.
            params: Parameters for the model.
            use_spark_native_join: Not supported by the local client.
            unsupported: Arguments that the local client does not know.
        """
        refuse(
            use_spark_native_join=use_spark_native_join,
            streaming=df.isStreaming,
            **dict.fromkeys(unsupported, True),
        )
        if "prediction" in df.columns:
            raise ValueError('The dataframe has a column "prediction" already.')
        model_path = mlflow.artifacts.download_artifacts(artifact_uri=model_uri)
        spec = read_spec(model_path)
        missing = [name for name in spec.required_columns(df.columns) if name not in df.columns]
        if missing:
            raise ValueError(f"The dataframe is missing required columns {missing}.")
        refuse(env_manager=env_manager != "local")
        predict = model_udf(f"{model_path}/{DATA}/{RAW_MODEL}", result_type, params)
        inputs = F.struct(*(column(name) for name in spec.model_inputs))
        return look_up(df, spec).withColumn("prediction", predict(inputs))


def _schema(df: DataFrame | None, schema: StructType | None) -> StructType:
    given = [item for item in (schema, df.schema if df is not None else None) if item is not None]
    if not given:
        raise ValueError("Either schema or df must be given.")
    if given[0] != given[-1]:
        raise ValueError("If both schema and df are given, their schemas must match.")
    return given[0]
