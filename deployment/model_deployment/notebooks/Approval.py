# Databricks notebook source
# MAGIC %md
# MAGIC Passes if the version needs no approval or has it. Until then it fails: a person sets the tag on the version
# MAGIC ("Approve" on the version's page does), and the run is repaired or the job run again.

# COMMAND ----------

dbutils.widgets.text("catalog", "")
dbutils.widgets.text("schema", "")
dbutils.widgets.text("model_name", "")
dbutils.widgets.text("model_version", "")
dbutils.widgets.text("as_of", "")
dbutils.widgets.text("approval", "manual")
dbutils.widgets.text("approval_tag", "approval")
dbutils.widgets.text("run_id", "")

# COMMAND ----------

from deployment.model_deployment.approval import require_approval
from project.tables import Tables
from project.times import parse_moment

require_approval(
    spark,
    Tables(dbutils.widgets.get("catalog"), dbutils.widgets.get("schema")),
    dbutils.widgets.get("model_name"),
    dbutils.widgets.get("model_version"),
    parse_moment(dbutils.widgets.get("as_of")),
    dbutils.widgets.get("approval"),
    dbutils.widgets.get("approval_tag"),
    dbutils.widgets.get("run_id"),
)
