"""The feature engineering client on open-source Spark, Delta and MLflow, under its import name on Databricks.

It answers in local runs only: `local_workspace/site` is on the path there and never reaches a workspace.
It was written from the public documentation and from what databricks-feature-engineering 0.13.0 was
seen to do; `make test-parity` holds the results of the two against each other. What it does not do it
refuses, by name.
"""

from .client import FeatureEngineeringClient
from .lookup import FeatureLookup
from .online_store import DatabricksOnlineStore
from .tables import FeatureTable
from .training_set import TrainingSet
from .unsupported import refuse_unknown

__all__ = ["DatabricksOnlineStore", "FeatureEngineeringClient", "FeatureLookup", "FeatureTable", "TrainingSet"]

_ON_DATABRICKS_ONLY = {
    "Aggregation",
    "CronSchedule",
    "FeatureAggregations",
    "FeatureFunction",
    "UpgradeClient",
    "Window",
}


def __getattr__(name: str) -> object:
    """Refuses what the package offers on Databricks only, by name."""
    return refuse_unknown(name, _ON_DATABRICKS_ONLY, __name__)
