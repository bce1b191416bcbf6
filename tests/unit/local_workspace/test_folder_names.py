"""Whatever the workspace's folder is called, all files are in it, and the next process finds them."""

import os
import subprocess
import sys

import pytest

from local_workspace import workspace as workspaces
from local_workspace.errors import LocalWorkspaceError
from local_workspace.workspace import FOLDER_VARIABLE, REPOSITORY, open_workspace

ALL_AT_ONCE = "all of o'brien's, café; 100% $x `y` #z&+=~"
NAMES = ["with space", "o'brien", "café", "100%", "50%20", ALL_AT_ONCE]
TABLES = """
import os, sys
from local_workspace import delta_log
from local_workspace.engine import open_session
from local_workspace.workspace import FOLDER_VARIABLE, find_workspace
for os.environ[FOLDER_VARIABLE] in sys.argv[1:]:
    root = find_workspace().root
    with open_session(root) as spark:
        spark.sql("CREATE SCHEMA IF NOT EXISTS kept")
        spark.range(3).write.format("delta").mode("append").saveAsTable("spark_catalog.kept.t")
        (root / "landed").mkdir(exist_ok=True)
        (root / "landed" / "rows.csv").write_text("id\\n7\\n")
        (row,) = spark.read.option("header", True).csv(str(root / "landed")).collect()
        files = delta_log.files(delta_log.folder_of(spark, "spark_catalog.kept.t"))
        places = {file.relative_to(root).parts[0] for file in files if file.exists()}
        print(spark.table("kept.t").count(), places, row.id)
"""
ARTIFACTS = """
import os, sys
from local_workspace.bundle import load_bundle
from local_workspace.resources import make_mlflow_resources
from local_workspace.workspace import FOLDER_VARIABLE, REPOSITORY, open_workspace
os.environ[FOLDER_VARIABLE] = sys.argv[1]
with open_workspace() as workspace:
    import mlflow
    make_mlflow_resources(load_bundle(REPOSITORY), workspace)
    mlflow.set_experiment(experiment_id="1")
    with mlflow.start_run():
        mlflow.log_text("kept", "note.txt")
    runs = mlflow.search_runs(output_format="list")
    print([mlflow.artifacts.load_text(f"{run.info.artifact_uri}/note.txt") for run in runs])
"""


def run(code, *folders):
    """The lines that a process of its own prints."""
    done = subprocess.run(  # noqa: S603 (our own interpreter)
        [sys.executable, "-c", code, *folders],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A folder of each name, beside nothing else, and what two processes said of its tables, one after the other."""
    roots = [tmp_path_factory.mktemp("beside") / name for name in NAMES]
    first, second = run(TABLES, *roots), run(TABLES, *roots)
    return dict(zip(NAMES, zip(roots, first, second, strict=True), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_a_second_process_finds_the_tables_of_the_first(folders, name):
    root, first, second = folders[name]
    assert (first, second) == ("3 {'warehouse'} 7", "6 {'warehouse'} 7")
    assert [entry.name for entry in root.parent.iterdir()] == [name]


def test_a_second_process_finds_the_model_files_of_the_first(tmp_path):
    assert run(ARTIFACTS, tmp_path / ALL_AT_ONCE) == ["['kept']"]
    assert run(ARTIFACTS, tmp_path / ALL_AT_ONCE) == ["['kept', 'kept']"]
    assert [entry.name for entry in tmp_path.iterdir()] == [ALL_AT_ONCE]
    assert len(list((tmp_path / ALL_AT_ONCE / "mlartifacts").rglob("note.txt"))) == 2


@pytest.mark.parametrize("sign", workspaces.PATTERN_SIGNS)
def test_a_folder_that_spark_would_take_for_a_pattern_is_refused(tmp_path, monkeypatch, sign):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / f"a{sign}b"))
    with pytest.raises(LocalWorkspaceError, match="in a path for a pattern"), open_workspace():
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_environment_that_mlflow_could_not_open_its_store_in_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "local"))
    monkeypatch.setattr(sys, "prefix", "/home/me/100%/.venv")
    with pytest.raises(LocalWorkspaceError, match=r"100%/\.venv', whose path has a %"), open_workspace():
        pass
    assert list(tmp_path.iterdir()) == []
