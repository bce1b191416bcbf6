# Databricks notebook source
# MAGIC %md
# MAGIC Makes the judged version `champion`, if nothing speaks against it, and records the decision.

# COMMAND ----------

dbutils.widgets.text("catalog", "")
dbutils.widgets.text("schema", "")
dbutils.widgets.text("model_name", "")
dbutils.widgets.text("model_version", "")
dbutils.widgets.text("as_of", "")
dbutils.widgets.text("git_commit", "")
dbutils.widgets.text("validation_days", "")
dbutils.widgets.text("approval", "manual")
dbutils.widgets.text("approval_tag", "approval")
dbutils.widgets.text("job_id", "")
dbutils.widgets.text("run_id", "")

# COMMAND ----------

from deployment.model_deployment.promotion import promote, propose
from project.config import load_config
from project.tables import Tables
from project.times import parse_moment

champion = promote(
    spark,
    Tables(dbutils.widgets.get("catalog"), dbutils.widgets.get("schema")),
    propose(
        dbutils.widgets.get("model_name"),
        dbutils.widgets.get("model_version"),
        parse_moment(dbutils.widgets.get("as_of")),
        dbutils.widgets.get("git_commit"),
        load_config(validation_days=dbutils.widgets.get("validation_days")),
    ),
    dbutils.widgets.get("approval"),
    dbutils.widgets.get("approval_tag"),
    dbutils.widgets.get("job_id"),
    dbutils.widgets.get("run_id"),
)

# COMMAND ----------

dbutils.jobs.taskValues.set("champion", champion)
