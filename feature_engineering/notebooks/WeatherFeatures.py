# Databricks notebook source
# MAGIC %md
# MAGIC Brings `weather_features` from `since` to `as_of`.

# COMMAND ----------

dbutils.widgets.text("catalog", "")
dbutils.widgets.text("schema", "")
dbutils.widgets.text("as_of", "")
dbutils.widgets.text("since", "")
dbutils.widgets.text("changed_from", "")

# COMMAND ----------

from feature_engineering.refresh import refresh_weather_features
from project.tables import Tables
from project.times import parse_moment, parse_optional_moment

tables = Tables(dbutils.widgets.get("catalog"), dbutils.widgets.get("schema"))
refresh_weather_features(
    spark,
    tables,
    parse_optional_moment(dbutils.widgets.get("since")),
    parse_optional_moment(dbutils.widgets.get("changed_from")),
    parse_moment(dbutils.widgets.get("as_of")),
)
