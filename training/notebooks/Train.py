# Databricks notebook source
# MAGIC %md
# MAGIC Trains on what was known before the validation window, and registers the model as `challenger`.
# MAGIC With `tuning_trials` or `tuning_minutes` its hyperparameters are searched for first.

# COMMAND ----------

dbutils.widgets.text("catalog", "")
dbutils.widgets.text("schema", "")
dbutils.widgets.text("model_name", "")
dbutils.widgets.text("experiment", "")
dbutils.widgets.text("as_of", "")
dbutils.widgets.text("history_start", "")
dbutils.widgets.text("validation_days", "")
dbutils.widgets.text("git_commit", "")
dbutils.widgets.text("cause", "")
dbutils.widgets.text("tuning_trials", "0")
dbutils.widgets.text("tuning_minutes", "0")
dbutils.widgets.text("tuning_workers", "1")

# COMMAND ----------

from project.config import load_config
from project.tables import Tables
from project.times import parse_moment
from training.train import train
from training.tuning import parse_budget

model_version = train(
    spark,
    Tables(dbutils.widgets.get("catalog"), dbutils.widgets.get("schema")),
    dbutils.widgets.get("model_name"),
    dbutils.widgets.get("experiment"),
    parse_moment(dbutils.widgets.get("as_of")),
    dbutils.widgets.get("git_commit"),
    load_config(
        history_start=dbutils.widgets.get("history_start"),
        validation_days=dbutils.widgets.get("validation_days"),
    ),
    dbutils.widgets.get("cause"),
    parse_budget(
        dbutils.widgets.get("tuning_trials"),
        dbutils.widgets.get("tuning_minutes"),
        dbutils.widgets.get("tuning_workers"),
    ),
)

# COMMAND ----------

dbutils.jobs.taskValues.set("model_version", model_version)
