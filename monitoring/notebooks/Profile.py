# Databricks notebook source
# MAGIC %md
# MAGIC Measures columns, predictions and drift, day by day and over the judged window.

# COMMAND ----------

dbutils.widgets.text("catalog", "")
dbutils.widgets.text("schema", "")
dbutils.widgets.text("model_name", "")
dbutils.widgets.text("as_of", "")

# COMMAND ----------

from monitoring.profile import refresh_profile
from project.config import load_config
from project.tables import Tables
from project.times import parse_moment

tables = Tables(dbutils.widgets.get("catalog"), dbutils.widgets.get("schema"))
refresh_profile(
    spark,
    tables,
    dbutils.widgets.get("model_name"),
    parse_moment(dbutils.widgets.get("as_of")),
    load_config(),
)
