# Databricks notebook source
# MAGIC %md
# MAGIC Makes the judged version `champion`, if its verdict says so, and records the decision.

# COMMAND ----------

dbutils.widgets.text("catalog", "")
dbutils.widgets.text("schema", "")
dbutils.widgets.text("model_name", "")
dbutils.widgets.text("model_version", "")
dbutils.widgets.text("as_of", "")

# COMMAND ----------

from deployment.model_deployment.promotion import promote
from project.tables import Tables
from project.times import parse_moment

champion = promote(
    spark,
    Tables(dbutils.widgets.get("catalog"), dbutils.widgets.get("schema")),
    dbutils.widgets.get("model_name"),
    dbutils.widgets.get("model_version"),
    parse_moment(dbutils.widgets.get("as_of")),
)

# COMMAND ----------

dbutils.jobs.taskValues.set("champion", champion)
