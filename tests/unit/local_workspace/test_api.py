"""The service that answers databricks-sdk on this machine: its life, its errors, what it remembers."""

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound
from pyspark.sql import SparkSession

from local_workspace.api import Context, serve_api
from local_workspace.api.documents import Documents
from local_workspace.listening import listen
from local_workspace.workspace import FOLDER_VARIABLE, REPOSITORY, Workspace


def no_spark() -> SparkSession:
    raise AssertionError("no call here needs Spark")


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(Workspace(tmp_path), no_spark)


@pytest.fixture
def service(context: Context) -> Iterator[str]:
    with serve_api(context):
        yield os.environ["DATABRICKS_HOST"]


def ask(url: str, **headers: str) -> tuple[int, dict[str, str]]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:  # noqa: S310 (our own)
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_the_sdk_finds_the_service_and_its_errors(service: str) -> None:
    with pytest.raises(NotFound, match=r"does not exist: nothing\."):
        WorkspaceClient().serving_endpoints.get("nothing")


def test_who_has_no_token_gets_nothing(service: str) -> None:
    status, answer = ask(f"{service}/api/2.0/serving-endpoints/any")
    assert (status, answer["error_code"]) == (401, "UNAUTHENTICATED")


def test_an_api_that_is_not_there_is_said_to_be_none(service: str) -> None:
    status, answer = ask(f"{service}/api/9/none", Authorization=f"Bearer {os.environ['DATABRICKS_TOKEN']}")
    assert (status, answer["error_code"]) == (404, "ENDPOINT_NOT_FOUND")
    assert "/api/9/none" in answer["message"]


def test_after_the_block_the_environment_is_as_before(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_HOST", "https://before")
    monkeypatch.setenv("DATABRICKS_CONFIG_PROFILE", "mine")
    monkeypatch.delenv("DATABRICKS_TOKEN", raising=False)
    with serve_api(context):
        assert os.environ["DATABRICKS_HOST"].startswith("http://127.0.0.1:")
        assert "DATABRICKS_CONFIG_PROFILE" not in os.environ
    assert os.environ["DATABRICKS_HOST"] == "https://before"
    assert os.environ["DATABRICKS_CONFIG_PROFILE"] == "mine"
    assert "DATABRICKS_TOKEN" not in os.environ


def test_a_service_that_nobody_calls_loads_no_web_framework(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from local_workspace.api import Context, serve_api
from local_workspace.workspace import Workspace
with serve_api(Context(Workspace(Path(sys.argv[1])), lambda: None)):
    pass
print(sorted({"fastapi", "uvicorn", "databricks.sdk"} & set(sys.modules)))
"""
    done = subprocess.run(  # noqa: S603 (our own interpreter)
        [sys.executable, "-c", code, str(tmp_path)], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_an_answer_is_not_held_back_until_what_came_before_is_acknowledged() -> None:
    with listen(0) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_deployed_run_that_falls_reports_why(service: str, tmp_path: Path) -> None:
    # This workspace has no jobs.
    done = subprocess.run(
        [sys.executable, "-m", "local_workspace", "deployed"],
        input=json.dumps({"job_id": 7, "job_parameters": {}}),
        env={**os.environ, FOLDER_VARIABLE: str(tmp_path / "run")},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert json.loads(done.stdout)["state_message"].startswith("NotFound: ")


def test_documents_stay_and_go_by_name(tmp_path: Path) -> None:
    Documents(tmp_path / "kind").put("../a b", {"x": 1})
    documents = Documents(tmp_path / "kind")
    assert documents.get("../a b") == {"x": 1}
    assert list(documents.names()) == ["../a b"]
    assert [path.name for path in tmp_path.iterdir()] == ["kind"]
    documents.delete("../a b")
    assert documents.get("../a b") is None
