# Databricks notebook source
# MAGIC %md
# MAGIC Has the data profiling monitor measure the days of the inference log that have changed.

# COMMAND ----------

dbutils.widgets.text("catalog", "")
dbutils.widgets.text("schema", "")
dbutils.widgets.text("model_name", "")
dbutils.widgets.text("as_of", "")

# COMMAND ----------

from databricks.sdk import WorkspaceClient

from monitoring.baseline import refresh_baseline
from monitoring.monitor import refresh_monitor
from project.config import load_config
from project.tables import Tables
from project.times import parse_moment

tables = Tables(dbutils.widgets.get("catalog"), dbutils.widgets.get("schema"))
config = load_config()
refresh_baseline(
    spark,
    tables,
    dbutils.widgets.get("model_name"),
    parse_moment(dbutils.widgets.get("as_of")),
    config,
)
refresh_monitor(WorkspaceClient(), tables, config)
