# Databricks notebook source
# MAGIC %md
# MAGIC Publishes the feature tables to the online store that served models look features up in.

# COMMAND ----------

from deployment.model_serving.online import publish_features
from project.parameters import Parameters

p = Parameters(dbutils, "catalog", "schema", "online_store")
publish_features(spark, p.tables, p.required("online_store"), p.config.serving.online_store_capacity)
