# Databricks notebook source
# MAGIC %md
# MAGIC Links the deployment job to the model, or takes the link away, as the bundle's variable says.

# COMMAND ----------

dbutils.widgets.text("model_name", "")
dbutils.widgets.text("deployment_job_id", "")
dbutils.widgets.text("deployment_trigger", "")

# COMMAND ----------

from deployment.model_deployment.link import link_deployment_job

link_deployment_job(
    dbutils.widgets.get("model_name"),
    dbutils.widgets.get("deployment_job_id"),
    dbutils.widgets.get("deployment_trigger"),
)
