# Databricks notebook source
# MAGIC %md
# MAGIC Judges a model version on labels that its training never saw; `passed` alone decides its promotion.

# COMMAND ----------

dbutils.widgets.text("catalog", "")
dbutils.widgets.text("schema", "")
dbutils.widgets.text("model_name", "")
dbutils.widgets.text("model_version", "")
dbutils.widgets.text("as_of", "")
dbutils.widgets.text("git_commit", "")
dbutils.widgets.text("validation_days", "")

# COMMAND ----------

from project.config import load_config
from project.tables import Tables
from project.times import parse_moment
from validation.validate import validate

passed = validate(
    spark,
    Tables(dbutils.widgets.get("catalog"), dbutils.widgets.get("schema")),
    dbutils.widgets.get("model_name"),
    dbutils.widgets.get("model_version"),
    parse_moment(dbutils.widgets.get("as_of")),
    dbutils.widgets.get("git_commit"),
    load_config(validation_days=dbutils.widgets.get("validation_days")),
)

# COMMAND ----------

dbutils.jobs.taskValues.set("passed", str(passed).lower())
