# Databricks notebook source
# MAGIC %md
# MAGIC Passes if the version needs no approval or has it. Until then it fails: a person sets the tag on the version
# MAGIC ("Approve" on the version's page does), and the run is repaired or the job run again.

# COMMAND ----------

from deployment.model_deployment.approval import require_approval
from project.parameters import Parameters

names = ("catalog", "schema", "model_name", "model_version", "as_of", "approval", "approval_tag", "run_id")
p = Parameters(dbutils, *names)
require_approval(
    *(spark, p.tables, p.model_name, p.required("model_version"), p.as_of),
    *(p.text("approval"), p.text("approval_tag"), p.text("run_id")),
)
