# Databricks notebook source
# MAGIC %md
# MAGIC Scores the flights whose prediction moment came in the hours before `as_of`, with the champion.

# COMMAND ----------

dbutils.widgets.text("catalog", "")
dbutils.widgets.text("schema", "")
dbutils.widgets.text("model_name", "")
dbutils.widgets.text("as_of", "")
dbutils.widgets.text("window_hours", "")

# COMMAND ----------

from datetime import timedelta

from deployment.batch_inference.scoring import score
from project.config import load_config
from project.tables import Tables
from project.times import parse_moment

model_version = score(
    spark,
    Tables(dbutils.widgets.get("catalog"), dbutils.widgets.get("schema")),
    dbutils.widgets.get("model_name"),
    parse_moment(dbutils.widgets.get("as_of")),
    timedelta(hours=float(dbutils.widgets.get("window_hours"))),
    load_config(),
)

# COMMAND ----------

dbutils.jobs.taskValues.set("model_version", model_version)
