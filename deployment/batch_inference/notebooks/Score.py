# Databricks notebook source
# MAGIC %md
# MAGIC Scores what is asked about in the hours before `as_of`, with the champion, and brings the predictions to the
# MAGIC table that consumers read.

# COMMAND ----------

from deployment.batch_inference.scoring import run_batch
from project.parameters import Parameters

p = Parameters(dbutils, "catalog", "schema", "model_name", "as_of", "window_hours")
model_version = run_batch(spark, p.tables, p.model_name, p.as_of, p.window, p.config)

# COMMAND ----------

dbutils.jobs.taskValues.set("model_version", model_version)
