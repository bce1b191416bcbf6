# Databricks notebook source
# MAGIC %md
# MAGIC Brings `aircraft_features` from `since` to `as_of`.

# COMMAND ----------

dbutils.widgets.text("catalog", "")
dbutils.widgets.text("schema", "")
dbutils.widgets.text("as_of", "")
dbutils.widgets.text("history_start", "")
dbutils.widgets.text("since", "")

# COMMAND ----------

from feature_engineering.refresh import refresh_aircraft_features
from project.config import load_config
from project.tables import Tables
from project.times import parse_moment, parse_optional_moment

tables = Tables(dbutils.widgets.get("catalog"), dbutils.widgets.get("schema"))
refresh_aircraft_features(
    spark,
    tables,
    parse_optional_moment(dbutils.widgets.get("since")),
    parse_moment(dbutils.widgets.get("as_of")),
    load_config(history_start=dbutils.widgets.get("history_start")),
)
