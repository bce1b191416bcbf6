# Databricks notebook source
# MAGIC %md
# MAGIC Brings the new predictions to the table that consumers read.

# COMMAND ----------

dbutils.widgets.text("catalog", "")
dbutils.widgets.text("schema", "")
dbutils.widgets.text("as_of", "")

# COMMAND ----------

from deployment.batch_inference.scoring import publish
from project.config import load_config
from project.tables import Tables
from project.times import parse_moment

publish(
    spark,
    Tables(dbutils.widgets.get("catalog"), dbutils.widgets.get("schema")),
    parse_moment(dbutils.widgets.get("as_of")),
    load_config(),
)
