"""Makes the bundle's schemas, volumes, experiments and models, as a deployment does before any job runs."""

import contextlib

from pyspark.sql import SparkSession

from local_workspace.bundle import Bundle
from local_workspace.workspace import Workspace


def make_catalog_resources(bundle: Bundle, workspace: Workspace, spark: SparkSession) -> None:
    """Makes what Spark and the file system hold."""
    for schema in bundle.resources.get("schemas", {}).values():
        catalog, name = schema["id"].split(".")
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS `{catalog}`.`{name}`")
    for volume in bundle.resources.get("volumes", {}).values():
        workspace.volumes.joinpath(*volume["id"].split(".")).mkdir(parents=True, exist_ok=True)


def make_mlflow_resources(bundle: Bundle, workspace: Workspace) -> None:
    """Makes what MLflow's store holds, with its files in the workspace."""
    from mlflow import MlflowClient  # noqa: PLC0415 (once the workspace is entered)

    # Opening a store of its own makes MLflow put a folder for files into the current one.
    with contextlib.chdir(workspace.root):
        client = MlflowClient()
        client.get_experiment_by_name("Default")
    for key, experiment in bundle.resources.get("experiments", {}).items():
        if client.get_experiment_by_name(experiment["name"]) is None:
            tags = {tag["key"]: tag["value"] for tag in experiment.get("tags", [])}
            client.create_experiment(experiment["name"], (workspace.artifacts / key).as_uri(), tags)
    known = {model.name for model in client.search_registered_models(max_results=1000)}
    for model in bundle.resources.get("registered_models", {}).values():
        if model["id"] not in known:
            client.create_registered_model(model["id"], description=model.get("comment"))
