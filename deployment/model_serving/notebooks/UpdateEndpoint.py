# Databricks notebook source
# MAGIC %md
# MAGIC Makes the champion what the serving endpoint serves: a share of the traffic, a smoke query, then the rest.
# MAGIC Where an online store is on, the features that it looks up are published first.

# COMMAND ----------

from deployment.model_serving.deploy import deploy_endpoint
from deployment.model_serving.online import NO_STORE, publish_features
from project.parameters import Parameters

p = Parameters(
    dbutils,
    *("catalog", "schema", "model_name", "as_of"),
    *("endpoint", "project", "target", "managers", "callers", "online_store"),
)
publish_features(spark, p.tables, p.text("online_store"), p.config.serving.online_store_capacity)
served_version = deploy_endpoint(
    *(spark, p.tables, p.model_name, p.required("endpoint"), p.as_of),
    *({"project": p.text("project"), "target": p.text("target")}, p.text("managers"), p.text("callers"), p.config),
    looks_up=p.text("online_store") != NO_STORE,
)

# COMMAND ----------

dbutils.jobs.taskValues.set("served_version", served_version)
