# Databricks notebook source
# MAGIC %md
# MAGIC Says what is violated. The job mails those who want to know that this task has run.

# COMMAND ----------

dbutils.widgets.text("sentence", "")

# COMMAND ----------

print(dbutils.widgets.get("sentence"))
