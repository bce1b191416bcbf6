# Databricks notebook source
# MAGIC %md
# MAGIC Judges the window by the thresholds of the configuration, and says whether one is violated.

# COMMAND ----------

dbutils.widgets.text("catalog", "")
dbutils.widgets.text("schema", "")
dbutils.widgets.text("model_name", "")
dbutils.widgets.text("as_of", "")

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
    load_config(),
)
print(verdict.sentence)

# COMMAND ----------

dbutils.jobs.taskValues.set("violated", "true" if verdict.violated else "false")
