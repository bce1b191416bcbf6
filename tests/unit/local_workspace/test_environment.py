"""What the user's shell says for other work changes nothing that runs here."""

import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from local_workspace import environment
from local_workspace.bundle import load_bundle
from local_workspace.environment import USE_CASE_VARIABLE, clean_environment
from local_workspace.workspace import FOLDER_VARIABLE, REPOSITORY
from project.config import config_file

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
    job = ("local_workspace", "job", "feature_engineering", "--as-of", "2024-01-03T00:00:00Z")
    there = run(poisoned, *job)
    assert there == run({**os.environ, FOLDER_VARIABLE: str(tmp_path / "clean")}, *job)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_tests_do_too(poisoned, tmp_path):
    """One that calls this machine over HTTP, and one that logs a model in a run of MLflow."""
    here = "tests/unit/local_workspace"
    call = f"{here}/test_api.py::test_the_sdk_finds_the_service_and_its_errors"
    run(poisoned, "pytest", call, f"{here}/test_feature_client.py::test_score_batch_looks_features_up")
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


ABOUT = "from project.config import load_config; print(load_config().subject.noun, sys.path[0])"
CLEAN = "import sys; from local_workspace.environment import clean_environment; clean_environment(); "


@pytest.fixture
def shop(tmp_path):
    """A folder with a use case of its own: the small one's, about something else."""
    shutil.copytree(REPOSITORY / "samples" / "small" / "use_case", tmp_path / "shop" / "use_case")
    config = tmp_path / "shop" / "use_case" / "config.yml"
    config.write_text(config.read_text().replace("noun: order", "noun: rental"))
    return tmp_path / "shop"


def in_a_process(**environ):
    """What it is about, or what stands in the way; the folder is given as a person would, from the repository."""
    return subprocess.run(  # noqa: S603 (our own interpreter)
        [sys.executable, "-c", CLEAN + ABOUT],
        cwd=REPOSITORY,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_another_use_case_takes_the_place_of_the_repository_s(shop):
    for named in (str(shop), os.path.relpath(shop, REPOSITORY)):
        done = in_a_process(**{USE_CASE_VARIABLE: named, "PYTHONPATH": str(REPOSITORY)})
        assert done.stdout.split() == ["rental", str(shop)], done.stderr


def test_without_one_it_is_the_repository_s():
    noun = yaml.safe_load((REPOSITORY / "use_case" / "config.yml").read_text())["subject"]["noun"]
    assert in_a_process(**{USE_CASE_VARIABLE: ""}).stdout.startswith(f"{noun} ")


def test_a_folder_without_a_use_case_is_refused_in_a_sentence(tmp_path):
    done = in_a_process(**{USE_CASE_VARIABLE: str(tmp_path)})
    assert done.returncode == 1
    assert done.stderr == f"error: USE_CASE names {tmp_path}, which has no folder use_case\n"


def test_another_use_case_brings_what_it_says_to_the_bundle(shop, monkeypatch):
    (shop / "use_case" / "bundle.yml").write_text('targets: {dev: {variables: {as_of: "2031-05-06T00:00:00Z"}}}')
    monkeypatch.setenv(USE_CASE_VARIABLE, str(shop))
    bundle = load_bundle(REPOSITORY)
    assert bundle.variables["as_of"] == "2031-05-06T00:00:00Z"
    monkeypatch.delenv(USE_CASE_VARIABLE)
    own = yaml.safe_load((REPOSITORY / "use_case" / "bundle.yml").read_text())
    variables = (own or {}).get("targets", {}).get("dev", {}).get("variables", {})
    assert load_bundle(REPOSITORY).variables.items() >= variables.items()
    assert load_bundle(REPOSITORY).variables["as_of"] != "2031-05-06T00:00:00Z"


def test_these_tests_are_about_the_small_one():
    """Whichever folder of tests comes first on the path: what holds of it holds in a fork."""
    assert config_file() == REPOSITORY / "samples" / "small" / "use_case" / "config.yml"
