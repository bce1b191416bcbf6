# Databricks notebook source
# MAGIC %md
# MAGIC Reads what has landed up to `as_of`, parts it into bronze and quarantine, and brings labels and features up to
# MAGIC date. Each table says in a line what was done; `rebuild` names tables to make anew.

# COMMAND ----------

from feature_engineering.fill import Orders
from feature_engineering.refresh import refresh
from project.parameters import Parameters

p = Parameters(dbutils, "catalog", "schema", "volume", "as_of", "history_start", "rebuild", "changed_formula")
orders = Orders(p.names("rebuild"), p.text("changed_formula"), p.config.source.fill_piece)
refresh(spark, p.tables, p.volume, p.as_of, orders, p.config)
