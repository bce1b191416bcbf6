"""Gives the real client open-source Spark: the statements that only Databricks SQL knows are replaced."""

import json

import pytest
from databricks.ml_features._spark_client._spark_client import SparkClient
from databricks.ml_features_common.utils import uc_utils
from workspace_api import PRIMARY_KEYS, TIMESERIES_COLUMNS


def set_keys(
    self: SparkClient,
    full_table_name: str,
    pk_cols: list[str],
    pk_name: str | None = None,
    tk_col: str | None = None,
) -> None:
    """PRIMARY KEY (... TIMESERIES) is Databricks SQL: the keys become the stand-in's table properties."""
    known = {
        PRIMARY_KEYS: json.dumps(pk_cols),
        TIMESERIES_COLUMNS: json.dumps([tk_col] if tk_col else []),
        "featureEngineering.tags": "{}",
    }
    listed = ", ".join(f"'{name}' = '{value}'" for name, value in known.items())
    self._spark.sql(f"ALTER TABLE {full_table_name} SET TBLPROPERTIES ({listed})")


def replace_databricks_sql(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SparkClient, "catalog_exists", lambda self, name: True)  # DESCRIBE CATALOG
    monkeypatch.setattr(SparkClient, "set_cols_not_null", lambda self, full_table_name, cols: None)
    monkeypatch.setattr(SparkClient, "set_cols_pk_tk", set_keys)
    # The session's own catalog counts as "no Unity Catalog", and here it is all there is.
    local = [name for name in uc_utils.LOCAL_METASTORE_NAMES if name != "spark_catalog"]
    monkeypatch.setattr(uc_utils, "LOCAL_METASTORE_NAMES", local)
