# Databricks notebook source
# MAGIC %md
# MAGIC Makes the champion what the serving endpoint serves: a share of the traffic, a smoke query, then the rest.

# COMMAND ----------

dbutils.widgets.text("catalog", "")
dbutils.widgets.text("schema", "")
dbutils.widgets.text("model_name", "")
dbutils.widgets.text("as_of", "")
dbutils.widgets.text("endpoint", "")
dbutils.widgets.text("project", "")
dbutils.widgets.text("target", "")
dbutils.widgets.text("managers", "")
dbutils.widgets.text("callers", "")
dbutils.widgets.text("online_store", "")

# COMMAND ----------

from deployment.model_serving.deploy import deploy_endpoint
from project.config import load_config
from project.tables import Tables
from project.times import parse_moment

served_version = deploy_endpoint(
    spark,
    Tables(dbutils.widgets.get("catalog"), dbutils.widgets.get("schema")),
    dbutils.widgets.get("model_name"),
    dbutils.widgets.get("endpoint"),
    parse_moment(dbutils.widgets.get("as_of")),
    {"project": dbutils.widgets.get("project"), "target": dbutils.widgets.get("target")},
    dbutils.widgets.get("managers"),
    dbutils.widgets.get("callers"),
    load_config(),
    looks_up=dbutils.widgets.get("online_store") != "none",
)

# COMMAND ----------

dbutils.jobs.taskValues.set("served_version", served_version)
