# Databricks notebook source
# MAGIC %md
# MAGIC Judges a model version on labels that its training never saw; `passed` alone decides its promotion.

# COMMAND ----------

from project.parameters import Parameters
from validation.validate import validate

names = ("catalog", "schema", "model_name", "model_version", "as_of", "git_commit", "validation_days")
p = Parameters(dbutils, *names)
passed = validate(spark, p.tables, p.model_name, p.required("model_version"), p.as_of, p.text("git_commit"), p.config)

# COMMAND ----------

dbutils.jobs.taskValues.set("passed", str(passed).lower())
