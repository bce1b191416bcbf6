# Databricks notebook source
# MAGIC %md
# MAGIC Makes the judged version `champion`, if nothing speaks against it, and records the decision.

# COMMAND ----------

from deployment.model_deployment.promotion import promote, propose
from project.parameters import Parameters

p = Parameters(
    dbutils,
    *("catalog", "schema", "model_name", "model_version", "as_of", "git_commit", "validation_days"),
    *("approval", "approval_tag", "job_id", "run_id"),
)
candidate = propose(p.model_name, p.required("model_version"), p.as_of, p.text("git_commit"), p.config)
champion = promote(
    *(spark, p.tables, candidate, p.text("approval"), p.text("approval_tag")), p.text("job_id"), p.text("run_id")
)

# COMMAND ----------

dbutils.jobs.taskValues.set("champion", champion)
