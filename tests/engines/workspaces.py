"""What a run has left in a workspace's folder, as tables that can be compared."""

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from local_workspace import delta_log
from local_workspace.workspace import Workspace


def find_tables(root: Path) -> dict[str, Path]:
    """The folder of each Delta table in a workspace, by the table's name."""
    folders = sorted(log.parent for log in root.rglob("_delta_log"))
    tables = {folder.name: folder for folder in folders}
    assert len(tables) == len(folders), "two tables of different schemas have the same name"
    return tables


def read_table(folder: Path) -> pa.Table:
    """The rows of a Delta table's newest version, in the types that its log gives them."""
    described = delta_log.metadata(folder)
    if described["partitionColumns"]:
        raise NotImplementedError(f"'{folder.name}' is partitioned: its files lack the columns of its partitions.")
    schema = to_arrow_schema(StructType.fromJson(json.loads(described["schemaString"])))
    parts = (_read_file(file, schema) for file in delta_log.files(folder))
    return pa.concat_tables([schema.empty_table(), *parts])


def _read_file(file: Path, schema: pa.Schema) -> pa.Table:
    """A data file's rows; a column that the table has got since is NULL."""
    rows = pq.ParquetFile(file, coerce_int96_timestamp_unit="us").read()
    columns = (
        rows[one.name].cast(one.type) if one.name in rows.column_names else pa.nulls(rows.num_rows, one.type)
        for one in schema
    )
    return pa.table(list(columns), schema=schema)


def read_champions(root: Path) -> pa.Table:
    """A row a model: its champion's version, and as columns the metrics and parameters of its run, and its tags."""
    from mlflow import MlflowClient  # noqa: PLC0415 (takes seconds, and only this needs it)

    uri = Workspace(root).tracking_uri
    # A new client makes MLflow put a folder for files into the current one.
    with contextlib.chdir(root):
        client = MlflowClient(uri, uri)
        models = [one.name for one in client.search_registered_models()]
        champions = [client.get_model_version_by_alias(name, "champion") for name in models]
        return pa.Table.from_pylist([_described(client, one) for one in champions])


def _described(client: Any, version: Any) -> dict[str, object]:
    data = client.get_run(version.run_id).data
    return {
        "model": version.name,
        "version": int(version.version),
        **{f"metric {name}": value for name, value in data.metrics.items()},
        **{f"parameter {name}": value for name, value in data.params.items()},
        **{f"tag {name}": value for name, value in version.tags.items()},
    }


def read_landed_files(root: Path) -> pa.Table:
    """A row a file that a job has written as a source would: where it is, and a digest of its lines in any order."""
    files = sorted(file for file in root.glob("Volumes/**/landing/**/*") if file.is_file())
    return pa.table(
        {"file": [str(file.relative_to(root)) for file in files], "lines": [_digest(file) for file in files]}
    )


def read_reports(root: Path) -> pa.Table:
    """A row a line of each HTML report."""
    files = sorted(root.glob("Volumes/**/reports/*.html"))
    lines = [(file.name, *line) for file in files for line in enumerate(file.read_text().splitlines(), 1)]
    names = ("report", "line", "text")
    return pa.Table.from_pylist([dict(zip(names, line, strict=True)) for line in lines])


def _digest(file: Path) -> str:
    """The engines write the rows of a file in no order."""
    return hashlib.sha256(b"".join(sorted(file.read_bytes().splitlines(keepends=True)))).hexdigest()
