# Databricks notebook source
# MAGIC %md
# MAGIC Merges what happened into what was predicted, as far as it was known at `as_of`.

# COMMAND ----------

dbutils.widgets.text("catalog", "")
dbutils.widgets.text("schema", "")
dbutils.widgets.text("as_of", "")

# COMMAND ----------

from monitoring.ground_truth import join_ground_truth
from project.config import load_config
from project.tables import Tables
from project.times import parse_moment

tables = Tables(dbutils.widgets.get("catalog"), dbutils.widgets.get("schema"))
join_ground_truth(
    spark,
    tables,
    parse_moment(dbutils.widgets.get("as_of")),
    load_config(),
)
