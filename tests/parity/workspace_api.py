"""The few REST answers that the real client asks of a workspace, given from the local catalog."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import yaml
from pyspark.sql import SparkSession
from pyspark.sql.types import DataType

PRIMARY_KEYS = "featureEngineering.primaryKeys"
TIMESERIES_COLUMNS = "featureEngineering.timeseriesColumns"

# The client's names of Spark's types.
TYPE_NAMES = {
    "int": "INTEGER",
    "bigint": "LONG",
    "double": "DOUBLE",
    "float": "FLOAT",
    "string": "STRING",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
}

Json = dict[str, Any]


def properties(spark: SparkSession, table: str) -> dict[str, str]:
    return {row["key"]: row["value"] for row in spark.sql(f"SHOW TBLPROPERTIES {table}").collect()}


def keys_of(spark: SparkSession, table: str) -> tuple[list[str], list[str]]:
    known = properties(spark, table)
    return json.loads(known.get(PRIMARY_KEYS, "[]")), json.loads(known.get(TIMESERIES_COLUMNS, "[]"))


def describe_table(spark: SparkSession, body: Json, table: str) -> Json:
    catalog, schema, name = table.split(".")
    primary_keys, timeseries_columns = keys_of(spark, table)
    constraint = {
        "name": f"{name}_pk",
        "child_columns": primary_keys,
        "timeseries_columns": timeseries_columns,
    }
    if not timeseries_columns:
        del constraint["timeseries_columns"]
    return {
        "full_name": table,
        "catalog_name": catalog,
        "schema_name": schema,
        "name": name,
        "table_id": table_id(spark, table),
        "table_type": "MANAGED",
        "securable_kind": "TABLE_DELTA",
        "created_at": 0,
        "columns": [{"name": column} for column in spark.table(table).columns],
        "table_constraints": [{"primary_key_constraint": constraint}] if primary_keys else [],
    }


def list_features(spark: SparkSession, body: Json) -> Json:
    table = body["feature_table"]
    return {
        "features": [
            {"table": table, "id": item.name, "name": item.name, "data_type": type_name(item.dataType)}
            for item in sorted(spark.table(table).schema, key=lambda item: item.name)
        ]
    }


def list_online_stores(spark: SparkSession, body: Json) -> Json:
    found = [{"feature_table": table, "online_stores": []} for table in body.get("feature_tables", [])]
    return {"feature_table_online_stores": found}


def create_feature_table(spark: SparkSession, body: Json) -> Json:
    return {"feature_table": {"id": body["name"], "name": body["name"]}}


def nothing(spark: SparkSession, body: Json, *ignored: str) -> Json:
    return {}


def generate_spec(spark: SparkSession, body: Json) -> Json:
    """Where each input of a model comes from, as the client then saves it beside the model."""
    lookups = [item["feature_lookup"] for item in body["features"]]
    excluded = set(body.get("exclude_columns", []))
    keys = {key for lookup in lookups for key in lookup["lookup_keys"]}
    entries = [
        {name: {"source": "training_data", "topological_ordering": 0, "include": name not in excluded}}
        for name in body["input_columns"]
        if name not in excluded or name in keys
    ]
    for lookup in lookups:
        entries += [entry for entry in looked_up(spark, lookup) if not excluded.intersection(entry)]
    tables = {lookup["table_name"]: table_entry(spark, lookup) for lookup in lookups}
    spec = {
        "input_columns": entries,
        "input_tables": [{name: entry} for name, entry in sorted(tables.items())],
        "feature_store_client_version": "0.13.0",
        "serialization_version": 9,
        "workspace_id": 0,
    }
    return {"feature_spec_yaml": yaml.safe_dump(spec, sort_keys=False)}


def looked_up(spark: SparkSession, lookup: Json) -> Iterator[Json]:
    table = lookup["table_name"]
    primary_keys, _ = keys_of(spark, table)
    all_features = sorted(set(spark.table(table).columns) - set(primary_keys))
    renamed = {item["feature_name"]: item["output_name"] for item in lookup.get("rename_outputs", [])}
    for feature in lookup.get("feature_names") or all_features:
        entry = {
            "source": "feature_store",
            "topological_ordering": 1,
            "table_name": table,
            "feature_name": feature,
            "lookup_key": lookup["lookup_keys"],
        }
        if lookup.get("timestamp_lookup_keys"):
            entry["timestamp_lookup_key"] = lookup["timestamp_lookup_keys"]
        yield {renamed.get(feature, feature): entry}


def table_entry(spark: SparkSession, lookup: Json) -> Json:
    window = lookup.get("lookback_window_seconds")
    entry = {"table_id": table_id(spark, lookup["table_name"])}
    return entry if window is None else {**entry, "lookback_window": window}


def table_id(spark: SparkSession, table: str) -> str:
    return str(spark.sql(f"DESCRIBE DETAIL {table}").collect()[0]["id"])


def type_name(data_type: DataType) -> str:
    return TYPE_NAMES[data_type.simpleString()]


ROUTES: list[tuple[str, Callable[..., Json]]] = [
    (r"/unity-catalog/tables/(.+)$", describe_table),
    (r"/securable-tags/TABLE/(.+)$", nothing),
    (r"/feature-tables/create$", create_feature_table),
    (r"/feature-tables/delete$", nothing),
    (r"/features/get$", list_features),
    (r"/get-online-stores$", list_online_stores),
    (r"/feature-spec/generate-yaml$", generate_spec),
]


class Answers(BaseHTTPRequestHandler):
    def __init__(self, spark: SparkSession, *args: Any) -> None:
        self.spark = spark
        super().__init__(*args)

    def answer(self) -> None:
        address = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = {**dict(parse_qsl(address.query)), **json.loads(self.rfile.read(length) or "{}")}
        try:
            status, found = self.route(unquote(address.path), body)
        except Exception as error:
            # A mistake in here must reach the test as an error of the client, not as a closed connection.
            status, found = 500, {"error_code": "INTERNAL_ERROR", "message": repr(error)}
        content = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def route(self, path: str, body: Json) -> tuple[int, Json]:
        for pattern, handler in ROUTES:
            if match := re.search(pattern, path):
                return 200, handler(self.spark, body, *match.groups())
        return 404, {"error_code": "ENDPOINT_NOT_FOUND", "message": path}

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 (names that http.server asks for)

    def log_message(self, *ignored: object) -> None:
        pass


@contextmanager
def serve(spark: SparkSession) -> Iterator[str]:
    """Answers on a free port of this machine; yields the address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Answers, spark)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
