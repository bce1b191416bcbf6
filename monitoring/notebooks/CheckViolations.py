# Databricks notebook source
# MAGIC %md
# MAGIC Judges the last days by the checks of the configuration, and says what is violated and what to do about it.

# COMMAND ----------

dbutils.widgets.text("catalog", "")
dbutils.widgets.text("schema", "")
dbutils.widgets.text("model_name", "")
dbutils.widgets.text("as_of", "")
dbutils.widgets.text("history_start", "")
dbutils.widgets.text("retrain_on_violation", "false")

# COMMAND ----------

from monitoring.violations import check_violations
from project.config import load_config
from project.tables import Tables
from project.times import parse_moment

tables = Tables(dbutils.widgets.get("catalog"), dbutils.widgets.get("schema"))
verdict = check_violations(
    spark,
    tables,
    dbutils.widgets.get("model_name"),
    parse_moment(dbutils.widgets.get("as_of")),
    dbutils.widgets.get("retrain_on_violation") == "true",
    load_config(history_start=dbutils.widgets.get("history_start")),
)
print(verdict.sentence)

# COMMAND ----------

dbutils.jobs.taskValues.set("violated", "true" if verdict.violated else "false")
dbutils.jobs.taskValues.set("action", verdict.action)
dbutils.jobs.taskValues.set("cause", verdict.cause)
dbutils.jobs.taskValues.set("sentence", verdict.sentence)
