# Databricks notebook source
# MAGIC %md
# MAGIC Records that all feature tables have been brought to `as_of`.

# COMMAND ----------

dbutils.widgets.text("catalog", "")
dbutils.widgets.text("schema", "")
dbutils.widgets.text("as_of", "")
dbutils.widgets.text("since", "")

# COMMAND ----------

from feature_engineering.refresh import mark_refreshed
from project.tables import Tables
from project.times import parse_moment, parse_optional_moment

tables = Tables(dbutils.widgets.get("catalog"), dbutils.widgets.get("schema"))
mark_refreshed(
    spark,
    tables,
    parse_optional_moment(dbutils.widgets.get("since")),
    parse_moment(dbutils.widgets.get("as_of")),
)
