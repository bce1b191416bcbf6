"""Sail without the guard: what it does by itself."""

import os
from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.connect.session import SparkSession as ConnectSession

from local_workspace.engine.sail import serve

on_sail = pytest.mark.skipif(os.environ.get("ENGINE") == "spark", reason="about Sail")


@pytest.fixture(scope="package")
def unguarded() -> Iterator[SparkSession]:
    with serve() as channel:
        session = ConnectSession(channel)
        session.conf.set("spark.sql.session.timeZone", "UTC")
        yield session
        session.client.close()
