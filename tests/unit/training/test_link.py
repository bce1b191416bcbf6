"""The link of the deployment job, asked from a Unity Catalog registry over HTTP: it is made, kept, and taken away."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient

from training.link import link_deployment_job

MODEL = "main.shop.returned"


@dataclass
class Catalog:
    """A registry with one model, and the changes that it was asked for."""

    model: dict[str, Any] = field(default_factory=lambda: {"name": MODEL, "description": "Who returns what."})
    changes: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, method: str, request: dict[str, Any]) -> dict[str, Any]:
        if method == "PATCH":
            self.changes.append(request)
            self.model |= request
        return {"registered_model": self.model}


@pytest.fixture
def catalog(monkeypatch: pytest.MonkeyPatch) -> Iterator[Catalog]:
    catalog = Catalog()

    class Handler(BaseHTTPRequestHandler):
        def respond(self) -> None:
            if not self.path.startswith("/api/2.0/mlflow/unity-catalog/registered-models/"):
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = json.dumps(catalog.answer(self.command, json.loads(body or b"{}"))).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_PATCH = respond  # noqa: N815 (the names that http.server calls)

        def log_message(self, *_: object) -> None:
            """Tests print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("DATABRICKS_HOST", f"http://127.0.0.1:{server.server_address[1]}")
    monkeypatch.setenv("DATABRICKS_TOKEN", "a token of this test")
    before = mlflow.get_registry_uri()
    mlflow.set_registry_uri("databricks-uc")
    yield catalog
    mlflow.set_registry_uri(before)
    server.shutdown()
    server.server_close()


def test_registration_links_the_job_once_and_keeps_the_description(catalog) -> None:
    for _ in range(2):
        link_deployment_job(MODEL, "42", "registration")
    (change,) = catalog.changes
    assert change["deployment_job_id"] == "42"
    assert catalog.model["description"] == "Who returns what."


def test_a_new_job_takes_the_place_of_the_old_one(catalog) -> None:
    catalog.model["deployment_job_id"] = "41"
    link_deployment_job(MODEL, "42", "registration")
    assert catalog.model["deployment_job_id"] == "42"


def test_training_takes_the_link_away_once(catalog) -> None:
    catalog.model["deployment_job_id"] = "42"
    for _ in range(2):
        link_deployment_job(MODEL, "42", "training")
    assert [change["deployment_job_id"] for change in catalog.changes] == [""]


def test_training_leaves_a_link_to_another_job(catalog) -> None:
    catalog.model["deployment_job_id"] = "7"
    link_deployment_job(MODEL, "42", "training")
    assert catalog.changes == []


def test_another_trigger_is_an_error(catalog) -> None:
    with pytest.raises(ValueError, match="'manual', and must be 'training' or 'registration'"):
        link_deployment_job(MODEL, "42", "manual")
    assert catalog.changes == []


def test_a_registry_that_keeps_no_link_loses_nothing(workspace) -> None:
    client = MlflowClient()
    client.create_registered_model(MODEL, description="Who returns what.")
    for trigger in ("registration", "training"):
        link_deployment_job(MODEL, "42", trigger)
    assert client.get_registered_model(MODEL).description == "Who returns what."
    client.delete_registered_model(MODEL)
