# Databricks notebook source
# MAGIC %md
# MAGIC Gives `champion` back to the version that had it before, and records why.

# COMMAND ----------

dbutils.widgets.text("catalog", "")
dbutils.widgets.text("schema", "")
dbutils.widgets.text("model_name", "")
dbutils.widgets.text("reason", "")
dbutils.widgets.text("as_of", "")
dbutils.widgets.text("git_commit", "")
dbutils.widgets.text("job_id", "")
dbutils.widgets.text("run_id", "")

# COMMAND ----------

from deployment.model_deployment.rollback import roll_back
from project.tables import Tables
from project.times import parse_moment

champion = roll_back(
    spark,
    Tables(dbutils.widgets.get("catalog"), dbutils.widgets.get("schema")),
    dbutils.widgets.get("model_name"),
    dbutils.widgets.get("reason"),
    parse_moment(dbutils.widgets.get("as_of")),
    dbutils.widgets.get("git_commit"),
    dbutils.widgets.get("job_id"),
    dbutils.widgets.get("run_id"),
)

# COMMAND ----------

dbutils.jobs.taskValues.set("champion", champion)
