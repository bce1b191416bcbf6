# Databricks notebook source
# MAGIC %md
# MAGIC Trains on what was known before the validation window, and registers the model as `challenger`.

# COMMAND ----------

dbutils.widgets.text("catalog", "")
dbutils.widgets.text("schema", "")
dbutils.widgets.text("model_name", "")
dbutils.widgets.text("experiment", "")
dbutils.widgets.text("as_of", "")
dbutils.widgets.text("history_start", "")
dbutils.widgets.text("git_commit", "")
dbutils.widgets.text("cause", "")

# COMMAND ----------

from project.config import load_config
from project.tables import Tables
from project.times import parse_moment
from training.train import train

model_version = train(
    spark,
    Tables(dbutils.widgets.get("catalog"), dbutils.widgets.get("schema")),
    dbutils.widgets.get("model_name"),
    dbutils.widgets.get("experiment"),
    parse_moment(dbutils.widgets.get("as_of")),
    dbutils.widgets.get("git_commit"),
    load_config(history_start=dbutils.widgets.get("history_start")),
    dbutils.widgets.get("cause"),
)

# COMMAND ----------

dbutils.jobs.taskValues.set("model_version", model_version)
