# Databricks notebook source
# MAGIC %md
# MAGIC Joins what happened to what was predicted, has the monitor measure the days that changed, judges the last days
# MAGIC by the checks of the configuration, and writes the report. It reads what the last refresh has left.

# COMMAND ----------

from databricks.sdk import WorkspaceClient

from monitoring.monitoring import monitor
from project.parameters import Parameters

names = ("catalog", "schema", "volume", "model_name", "as_of", "history_start", "retrain_on_violation")
p = Parameters(dbutils, *names)
verdict = monitor(
    *(spark, WorkspaceClient(), p.tables, p.volume, p.model_name, p.as_of),
    *(p.flag("retrain_on_violation"), p.config),
)

# COMMAND ----------

dbutils.jobs.taskValues.set("action", verdict.action)
dbutils.jobs.taskValues.set("cause", verdict.cause)
