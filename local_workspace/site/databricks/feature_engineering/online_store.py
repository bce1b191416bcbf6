"""Online stores: which version of which feature tables is published for lookups by key at request time.

Nothing is copied: a published table is its source's data files as of one version, which a server on this machine reads.
"""

import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath

from pyspark.sql import SparkSession

from local_workspace import delta_log
from local_workspace.api.documents import Documents

from . import tables
from .identifiers import full_name
from .unsupported import refuse

FOLDER_VARIABLE = "LOCAL_ONLINE_STORE"
_CAPACITIES = ("CU_1", "CU_2", "CU_4", "CU_8")
_CHANGE_DATA_FEED = "delta.enableChangeDataFeed"


@dataclass(frozen=True)
class DatabricksOnlineStore:
    """An online store."""

    name: str
    capacity: str
    read_replica_count: int | None = 0
    creator: str | None = None
    creation_time: str | None = None
    state: str | None = "AVAILABLE"


@dataclass(frozen=True)
class PublishedTable:
    """What a publication made."""

    online_table_name: str
    pipeline_id: str


def stores() -> Documents:
    """All online stores."""
    return Documents(_folder() / "stores")


def published() -> Documents:
    """All published tables, by the name of the online table."""
    return Documents(_folder() / "tables")


def create(name: str, capacity: str, read_replica_count: int | None) -> DatabricksOnlineStore:
    """Makes an online store."""
    if stores().get(name) is not None:
        raise ValueError(f"Online store with name '{name}' already exists")
    if capacity not in _CAPACITIES:
        raise ValueError(f"Capacity '{capacity}' is not one of {list(_CAPACITIES)}.")
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    store = DatabricksOnlineStore(name, capacity, read_replica_count or 0, creation_time=now)
    stores().put(name, asdict(store))
    return store


def get(name: str) -> DatabricksOnlineStore | None:
    """The online store of a name."""
    found = stores().get(name)
    return None if found is None else DatabricksOnlineStore(**found)


def publish(
    spark: SparkSession, online_store: DatabricksOnlineStore, source_table_name: str, online_table_name: str
) -> PublishedTable:
    """Publishes a feature table as it is now."""
    if get(online_store.name) is None:
        raise ValueError(f"Online store with name '{online_store.name}' not found")
    if online_table_name.count(".") != 2:  # noqa: PLR2004 (catalog, schema and table)
        raise ValueError(
            f"Online table name '{online_table_name}' is not valid. "
            "Expected format '<catalog_name>.<schema_name>.<table_name>'"
        )
    name = full_name(spark, source_table_name)
    former = published().get(online_table_name)
    if former is not None and former["source_table_name"] != name:
        raise ValueError(f"Online table '{online_table_name}' already exists with a different source table.")
    properties = tables.properties_of(spark, name)
    if properties.get(_CHANGE_DATA_FEED) != "true":
        raise ValueError(f"Publishing to Online Feature Store requires change data feed enabled on the table '{name}'.")
    primary_keys, timestamp_keys = tables.keys_of(properties)
    files = sorted(file.as_uri() for file in delta_log.files(delta_log.folder_of(spark, name)))
    # The file of a partition does not hold the columns of its path.
    refuse(publishing_a_table_with_partitions=any("=" in PurePath(file).parent.name for file in files))
    document = {
        "online_store": online_store.name,
        "source_table_name": name,
        "lookup_keys": [key for key in primary_keys if key not in timestamp_keys],
        "timestamp_keys": timestamp_keys,
        "files": files,
    }
    if document != former:
        published().put(online_table_name, document)
    return PublishedTable(online_table_name, pipeline_id="local")


def _folder() -> Path:
    return Path(os.environ[FOLDER_VARIABLE])
