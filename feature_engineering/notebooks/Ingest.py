# Databricks notebook source
# MAGIC %md
# MAGIC Lands what became known since the last completed refresh.

# COMMAND ----------

dbutils.widgets.text("catalog", "")
dbutils.widgets.text("schema", "")
dbutils.widgets.text("volume", "")
dbutils.widgets.text("as_of", "")
dbutils.widgets.text("history_start", "")

# COMMAND ----------

from pathlib import Path

from feature_engineering.refresh import ingest
from project.config import load_config
from project.tables import Tables
from project.times import format_moment, parse_moment

tables = Tables(dbutils.widgets.get("catalog"), dbutils.widgets.get("schema"))
since = ingest(
    spark,
    tables,
    Path(dbutils.widgets.get("volume")),
    parse_moment(dbutils.widgets.get("as_of")),
    load_config(history_start=dbutils.widgets.get("history_start")),
)

# COMMAND ----------

dbutils.jobs.taskValues.set("since", format_moment(since))
