# Databricks notebook source
# MAGIC %md
# MAGIC Trains on what was known before the validation window, and registers the model as `challenger`.
# MAGIC With `tuning_trials` or `tuning_minutes` its hyperparameters are searched for first.

# COMMAND ----------

from project.parameters import Parameters
from training.link import link_deployment_job
from training.train import train
from training.tuning import Budget

p = Parameters(
    dbutils,
    *("catalog", "schema", "model_name", "experiment", "as_of", "history_start", "validation_days", "git_commit"),
    *("cause", "tuning_trials", "tuning_minutes", "tuning_workers", "deployment_job_id", "deployment_trigger"),
)
link_deployment_job(p.model_name, p.text("deployment_job_id"), p.text("deployment_trigger"))
budget = Budget(p.whole("tuning_trials"), p.number("tuning_minutes"), p.whole("tuning_workers"))
model_version = train(
    *(spark, p.tables, p.model_name, p.required("experiment"), p.as_of, p.text("git_commit"), p.config),
    *(p.text("cause"), budget),
)

# COMMAND ----------

dbutils.jobs.taskValues.set("model_version", model_version)
