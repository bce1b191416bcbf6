# Databricks notebook source
# MAGIC %md
# MAGIC Writes the HTML report of the window.

# COMMAND ----------

dbutils.widgets.text("catalog", "")
dbutils.widgets.text("schema", "")
dbutils.widgets.text("volume", "")
dbutils.widgets.text("model_name", "")
dbutils.widgets.text("as_of", "")

# COMMAND ----------

from pathlib import Path

from monitoring.report import write_report
from project.config import load_config
from project.tables import Tables
from project.times import parse_moment

tables = Tables(dbutils.widgets.get("catalog"), dbutils.widgets.get("schema"))
report = write_report(
    spark,
    tables,
    Path(dbutils.widgets.get("volume")),
    dbutils.widgets.get("model_name"),
    parse_moment(dbutils.widgets.get("as_of")),
    load_config(),
)
print(report)
