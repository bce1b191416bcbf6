"""The alerts' queries in a catalog and a schema whose names need quotes."""

import os

import pytest
from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import SparkSession

from local_workspace.bundle import load_bundle
from local_workspace.workspace import REPOSITORY

NAMES = {"BUNDLE_VAR_catalog": "ml-prod", "BUNDLE_VAR_schema": "two-words"}


@pytest.mark.parametrize("alert", ["predictions_missing", "violation"])
def test_an_alert_looks_for_its_table_in_a_catalog_with_a_hyphen(spark: SparkSession, alert: str) -> None:
    """The engine has no such table, and says no more: it could read the query."""
    query = load_bundle(REPOSITORY, environ={**os.environ, **NAMES}).resource("alerts", alert)["query_text"]
    with pytest.raises(AnalysisException) as missing:
        spark.sql(query).collect()
    assert not isinstance(missing.value, ParseException)
