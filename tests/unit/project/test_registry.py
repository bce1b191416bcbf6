"""Who is champion, in a real registry; and what each kind of registry says where nobody is."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from project import registry
from project.registry import CHALLENGER, CHAMPION, champion_version, has_version, tags_of, versions_of

MODEL = "spark_catalog.registry_test.arrival_delay"


@pytest.fixture
def client(workspace):
    return MlflowClient()


def test_a_model_that_is_not_there_has_no_champion(client):
    assert champion_version("spark_catalog.registry_test.nothing") is None


def test_the_champion_is_the_version_that_has_the_alias(client, tmp_path):
    """One test: each version follows from the one before."""
    client.create_registered_model(MODEL)
    assert champion_version(MODEL) is None, "it has no version"
    first, second = (client.create_model_version(MODEL, tmp_path.as_uri()).version for _ in range(2))
    client.set_registered_model_alias(MODEL, CHALLENGER, second)
    assert champion_version(MODEL) is None, "a challenger is none"
    client.set_registered_model_alias(MODEL, CHAMPION, first)
    assert champion_version(MODEL) == str(first)
    client.set_registered_model_alias(MODEL, CHAMPION, second)
    assert champion_version(MODEL) == str(second)
    client.set_model_version_tag(MODEL, second, "as_of", "now")
    assert (has_version(MODEL, second), tags_of(MODEL, second)) == (True, {"as_of": "now"})
    client.delete_model_version(MODEL, second)
    assert (has_version(MODEL, second), tags_of(MODEL, second)) == (False, {})
    assert champion_version(MODEL) is None, "a deleted version is none, and no former one takes its place"


def test_all_versions_are_read_however_many_pages_they_take(client, monkeypatch, tmp_path):
    model = f"{MODEL}_in_pages"
    client.create_registered_model(model)
    assert versions_of(model) == []
    made = [str(client.create_model_version(model, tmp_path.as_uri()).version) for _ in range(5)]
    for page in (2, 5, 100):
        monkeypatch.setattr(registry, "_PAGE", page)
        assert [str(version.version) for version in versions_of(model)] == made


def test_a_registry_that_does_not_answer_is_no_registry_without_a_champion(client, monkeypatch, tmp_path):
    """Or else the next challenger would be promoted without a comparison."""
    (tmp_path / "broken.db").write_text("no database")
    before = mlflow.get_registry_uri()
    mlflow.set_registry_uri(f"sqlite:///{tmp_path / 'broken.db'}")
    try:
        with pytest.raises(Exception, match="not a database"):
            champion_version(MODEL)
    finally:
        mlflow.set_registry_uri(before)


@pytest.fixture
def answering(workspace, monkeypatch):
    """A remote registry that has one answer for all questions: a status, and an error as JSON."""
    answer = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps(answer["error"]).encode()
            self.send_response(answer["status"])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    server, before = ThreadingHTTPServer(("127.0.0.1", 0), Handler), mlflow.get_registry_uri()
    threading.Thread(target=server.serve_forever, args=(0.01,)).start()
    mlflow.set_registry_uri(f"http://127.0.0.1:{server.server_port}")
    yield lambda status, code, message: answer.update(status=status, error={"error_code": code, "message": message})
    mlflow.set_registry_uri(before)
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (404, "RESOURCE_DOES_NOT_EXIST", f"Routine or Model '{MODEL}' does not exist."),
        (404, "NOT_FOUND", "Registered Model Alias 'champion' does not exist."),
        (400, "INVALID_PARAMETER_VALUE", "Registered model alias champion not found."),
        (400, "INVALID_PARAMETER_VALUE", "Registered Model Alias 'champion' does not exist."),
    ],
)
def test_a_remote_registry_without_a_champion_says_so_in_its_own_words(answering, status, code, message):
    answering(status, code, message)
    assert (champion_version(MODEL), has_version(MODEL, "1"), tags_of(MODEL, "1")) == (None, False, {})


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (403, "PERMISSION_DENIED", f"User does not have EXECUTE on Routine or Model '{MODEL}'."),
        (401, "UNAUTHENTICATED", "The token does not exist."),
        (400, "INVALID_PARAMETER_VALUE", "The model's name must have three levels."),
        (404, "SCHEMA_DOES_NOT_EXIST", "Schema 's' does not exist."),
        (404, "ENDPOINT_NOT_FOUND", "No API found."),
        (503, "TEMPORARILY_UNAVAILABLE", "Try again."),
        (404, "A_CODE_OF_TOMORROW", "not found"),
    ],
)
def test_what_else_a_registry_says_is_no_word_on_who_is_champion(answering, status, code, message):
    answering(status, code, message)
    for ask in (lambda: champion_version(MODEL), lambda: has_version(MODEL, "1"), lambda: tags_of(MODEL, "1")):
        with pytest.raises(MlflowException, match=code if status != 503 else "503"):
            ask()
