# Databricks notebook source
# MAGIC %md
# MAGIC Checks the flights that landed: good rows to bronze, bad ones to quarantine with the reason.

# COMMAND ----------

dbutils.widgets.text("catalog", "")
dbutils.widgets.text("schema", "")
dbutils.widgets.text("volume", "")
dbutils.widgets.text("as_of", "")
dbutils.widgets.text("since", "")

# COMMAND ----------

from pathlib import Path

from feature_engineering.refresh import check_landed_flights
from project.config import load_config
from project.tables import Tables
from project.times import format_moment, parse_moment, parse_optional_moment

tables = Tables(dbutils.widgets.get("catalog"), dbutils.widgets.get("schema"))
changed_from = check_landed_flights(
    spark,
    tables,
    Path(dbutils.widgets.get("volume")),
    parse_optional_moment(dbutils.widgets.get("since")),
    parse_moment(dbutils.widgets.get("as_of")),
    load_config(),
)

# COMMAND ----------

dbutils.jobs.taskValues.set("changed_from", format_moment(changed_from))
