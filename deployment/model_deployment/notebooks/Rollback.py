# Databricks notebook source
# MAGIC %md
# MAGIC Gives `champion` back to the version that had it before, and records why.

# COMMAND ----------

from deployment.model_deployment.rollback import roll_back
from project.parameters import Parameters

p = Parameters(dbutils, "catalog", "schema", "model_name", "reason", "as_of", "git_commit", "job_id", "run_id")
champion = roll_back(
    *(spark, p.tables, p.model_name, p.text("reason"), p.as_of),
    *(p.text("git_commit"), p.text("job_id"), p.text("run_id")),
)

# COMMAND ----------

dbutils.jobs.taskValues.set("champion", champion)
