# Databricks notebook source
# MAGIC %md
# MAGIC Publishes the feature tables to the online store that served models look features up in.

# COMMAND ----------

dbutils.widgets.text("catalog", "")
dbutils.widgets.text("schema", "")
dbutils.widgets.text("online_store", "")

# COMMAND ----------

from feature_engineering.online import publish_features
from project.config import load_config
from project.tables import Tables

publish_features(
    spark,
    Tables(dbutils.widgets.get("catalog"), dbutils.widgets.get("schema")),
    dbutils.widgets.get("online_store"),
    load_config().serving.online_store_capacity,
)
