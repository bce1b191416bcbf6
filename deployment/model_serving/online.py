"""Publishes the feature tables to an online store, where a model that is served looks features up."""

from concurrent.futures import ThreadPoolExecutor

from databricks.feature_engineering import FeatureEngineeringClient
from pyspark.sql import SparkSession

from project.delta import enable_change_data_feed
from project.tables import Tables, plain
from use_case.registry import FEATURE_TABLES

NO_STORE = "none"


def publish_features(spark: SparkSession, tables: Tables, online_store: str, capacity: str) -> None:
    """Brings the online table of each feature table, `<table>_online`, up to what the feature table holds now.

    Args:
        spark: the session.
        tables: the feature tables, and where the online tables go.
        online_store: name of the online store, which is made if it is not there; "none" for no such store.
        capacity: its size if it is made: CU_1, CU_2, CU_4 or CU_8.
    """
    if online_store == NO_STORE:
        return
    client = FeatureEngineeringClient()
    store = client.get_online_store(name=online_store)
    if store is None:
        store = client.create_online_store(name=online_store, capacity=capacity)

    def publish(table: str) -> None:
        enable_change_data_feed(spark, table)
        name = plain(table)
        client.publish_table(online_store=store, source_table_name=name, online_table_name=f"{name}_online")

    # Side by side: each publication is mostly waiting, on Databricks for a pipeline of its own.
    names = [tables.named(table.name) for table in FEATURE_TABLES]
    with ThreadPoolExecutor(len(names)) as beside:
        list(beside.map(publish, names))
