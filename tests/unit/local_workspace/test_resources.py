"""What a deployment makes is there before the first task, inside the workspace's folder, once."""

import pytest
from mlflow import MlflowClient, set_tracking_uri

from local_workspace.bundle import load_bundle
from local_workspace.resources import make_mlflow_resources
from local_workspace.workspace import Workspace

RESOURCES = """
resources:
  experiments:
    churn: {name: /shop/churn, tags: [{key: team, value: sales}]}
  registered_models:
    churn: {catalog_name: main, schema_name: sales, name: churn, comment: Who leaves.}
"""


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    workspace = Workspace(tmp_path / "local")
    workspace.root.mkdir()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", workspace.tracking_uri)
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", workspace.tracking_uri)
    monkeypatch.chdir(tmp_path)
    set_tracking_uri(workspace.tracking_uri)
    yield workspace
    set_tracking_uri(None)


def test_experiments_and_models_are_made_once_and_keep_their_files_in_the_workspace(bundle, workspace):
    bundle.write("resources/churn.yml", RESOURCES)
    loaded = load_bundle(bundle.root, environ={})
    make_mlflow_resources(loaded, workspace)
    make_mlflow_resources(loaded, workspace)
    client = MlflowClient()
    experiment = client.get_experiment_by_name("/shop/churn")
    assert experiment.artifact_location == (workspace.artifacts / "churn").as_uri()
    assert experiment.tags["team"] == "sales"
    run = client.create_run(experiment.experiment_id)
    client.log_text(run.info.run_id, "x", "x.txt")
    assert list(workspace.artifacts.rglob("x.txt"))
    assert not (bundle.root / "mlruns").exists()
    assert client.get_registered_model("main.sales.churn").description == "Who leaves."
