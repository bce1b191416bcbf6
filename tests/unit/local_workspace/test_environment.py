"""What the user's shell says for other work changes nothing that runs here."""

import os
import re
import subprocess
import sys

import pytest

from local_workspace import environment
from local_workspace.environment import clean_environment
from local_workspace.workspace import FOLDER_VARIABLE, REPOSITORY

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def poisoned(tmp_path):
    """All at once; the folder that MLflow is pointed to is `elsewhere`."""
    other = tmp_path / "other"
    # Named as packages of ours and of others: who imports one of them fails.
    for name in ("project", "pandas", "local_workspace"):
        (other / name).mkdir(parents=True)
        (other / name / "__init__.py").write_text(f"raise ImportError('another {name}')")
    (tmp_path / "elsewhere").mkdir()
    proxies = {
        name: NOWHERE for kind in ("http", "https", "all") for name in (f"{kind}_proxy", f"{kind}_proxy".upper())
    }
    own = {name: value for name, value in os.environ.items() if name.lower() != "no_proxy"}
    return (
        own
        | proxies
        | {
            FOLDER_VARIABLE: str(tmp_path / "local"),
            "SPARK_HOME": str(other),
            "SPARK_CONF_DIR": str(other),
            "SPARK_REMOTE": "sc://127.0.0.1:9",
            "SPARK_CONNECT_MODE_ENABLED": "1",
            "PYSPARK_SUBMIT_ARGS": "--master spark://nowhere:7077 pyspark-shell",
            "SAIL_CATALOG__DEFAULT_CATALOG": "nowhere",
            "MLFLOW_TRACKING_URI": str(tmp_path / "elsewhere"),
            "MLFLOW_REGISTRY_URI": str(tmp_path / "elsewhere"),
            "MLFLOW_EXPERIMENT_NAME": "another",
            "MLFLOW_EXPERIMENT_ID": "77",
            "MLFLOW_RUN_ID": "f00d",
            "DATABRICKS_HOST": "https://nowhere.invalid",
            "DATABRICKS_TOKEN": "f00d",
            "DATABRICKS_CONFIG_PROFILE": "another",
            "DATABRICKS_RUNTIME_VERSION": "18.0",
            "PYTHONPATH": str(other),
            "PYTHONSTARTUP": str(other / "project" / "__init__.py"),
            "PYTHONHASHSEED": "7",
            "TZ": "Asia/Tokyo",
        }
    )


def run(environ, *arguments):
    command = [sys.executable, "-m", *arguments]
    # Who calls the proxy waits for it.
    done = subprocess.run(  # noqa: S603 (our own interpreter)
        command, cwd=REPOSITORY, env=environ, capture_output=True, text=True, check=False, timeout=180
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # Steps that run at once end in any order.
    return sorted(re.sub(r"\s+[\d.]+ s\b", "", done.stdout).splitlines())


def test_a_job_does_in_any_shell_what_it_does_in_a_clean_one(poisoned, tmp_path):
    job = ("local_workspace", "job", "feature_engineering", "--as-of", "2013-01-02T00:00:00Z")
    there = run(poisoned, *job)
    assert there == run({**os.environ, FOLDER_VARIABLE: str(tmp_path / "clean")}, *job)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_tests_do_too(poisoned, tmp_path):
    """Those of the service call this machine over HTTP, those of the feature client log models in runs of MLflow."""
    here = "tests/unit/local_workspace"
    run(poisoned, "pytest", f"{here}/test_api.py", f"{here}/test_feature_client.py")
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "localhost,127.0.0.1"),
        ({"NO_PROXY": "example.com"}, "example.com,localhost,127.0.0.1"),
        ({"no_proxy": "localhost,example.com"}, "localhost,example.com,127.0.0.1"),
        ({"no_proxy": "*"}, "*"),
    ],
)
def test_a_proxy_is_kept_for_what_is_elsewhere(monkeypatch, given, told):
    monkeypatch.setattr(environment.os, "environ", {"https_proxy": NOWHERE, **given})
    clean_environment()
    assert os.environ == {"https_proxy": NOWHERE, "no_proxy": told, "NO_PROXY": told, "TZ": "UTC"}
