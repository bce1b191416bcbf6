"""What Databricks does to tables by itself (predictive optimization): many small files become few."""

from pyspark.sql import SparkSession

from local_workspace import delta_log

_MANY_FILES = 64


def optimize_tables(spark: SparkSession) -> None:
    """Writes each table of many small files anew, in few; its rows stay as they are.

    Each read opens every file: a table that gets one a day would be slower with every day.
    """
    for name, folder in delta_log.tables(delta_log.warehouse_of(spark)).items():
        if delta_log.number_of_files(folder) > _MANY_FILES:
            spark.sql(f"OPTIMIZE {name}")
