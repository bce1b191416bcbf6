"""A bundle as it lies in a workspace: the jobs' settings and the files, as the Databricks CLI left them there."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from databricks.sdk import WorkspaceClient
from databricks.sdk.service.workspace import ExportFormat, ObjectType

from local_workspace.bundle import Bundle, Job
from local_workspace.bundle.jobs import parse_job
from local_workspace.errors import RunError
from local_workspace.workspace import CATALOG

# What the API says of a job beside its settings.
_ABOUT_THE_JOB = ("deployment", "format")


def load_deployed(client: WorkspaceClient, job_id: int, folder: Path) -> tuple[str, Bundle]:
    """Reads a deployed job, and those that it runs, into a bundle whose files are in `folder`.

    Returns:
        The job's key, and the bundle.
    """
    settings = dict(_with_nested_jobs(client, job_id))
    metadata = _metadata(client, settings[job_id])
    keys = {int(job["id"]): key for key, job in metadata["resources"]["jobs"].items()}
    file_path = metadata["workspace"]["file_path"]
    download(client, file_path, folder)
    return keys[job_id], Bundle(
        root=folder,
        name=metadata["bundle"]["name"],
        target=metadata["bundle"]["target"],
        file_path=file_path,
        variables={},
        resources=_resources(client),
        jobs={keys[number]: _parse(keys[number], job) for number, job in settings.items()},
        job_keys=keys,
    )


def download(client: WorkspaceClient, path: str, folder: Path) -> None:
    """Brings the files under a workspace path into a folder; a notebook gets its suffix back."""
    for entry in client.workspace.list(path, recursive=True):
        if entry.path is None or entry.object_type not in {ObjectType.FILE, ObjectType.NOTEBOOK}:
            continue
        suffix = ".py" if entry.object_type is ObjectType.NOTEBOOK else ""
        file = folder / (entry.path.removeprefix(path).lstrip("/") + suffix)
        file.parent.mkdir(parents=True, exist_ok=True)
        with client.workspace.download(entry.path, format=ExportFormat.SOURCE) as content:
            file.write_bytes(content.read())


def _with_nested_jobs(client: WorkspaceClient, job_id: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """The settings of a job and of all that it runs, each once."""
    waiting, seen = [job_id], set()
    while waiting:
        number = waiting.pop()
        if number not in seen:
            seen.add(number)
            settings = _get(client, "/api/2.2/jobs/get", job_id=number)["settings"]
            nested = [task.get("run_job_task", {}).get("job_id") for task in settings["tasks"]]
            waiting += [one for one in nested if one]
            yield number, settings


def _metadata(client: WorkspaceClient, settings: dict[str, Any]) -> dict[str, Any]:
    """What the CLI wrote down about the deployment that a job belongs to."""
    path = settings["deployment"]["metadata_file_path"]
    with client.workspace.download(path, format=ExportFormat.SOURCE) as content:
        config: dict[str, Any] = json.load(content)["config"]
    return config


def _parse(key: str, settings: dict[str, Any]) -> Job:
    own = {name: value for name, value in settings.items() if name not in _ABOUT_THE_JOB}
    return parse_job(key, own, "the deployed bundle")


def _resources(client: WorkspaceClient) -> dict[str, dict[str, Any]]:
    """What the workspace holds that a run needs to find here, in the shape that `load_bundle` gives it.

    Raises:
        RunError: a schema is in a catalog that is not here.
    """
    catalog = "/api/2.1/unity-catalog"
    schemas = _get(client, f"{catalog}/schemas").get("schemas", [])
    elsewhere = [schema["full_name"] for schema in schemas if schema["catalog_name"] != CATALOG]
    if elsewhere:
        raise RunError(
            f"'{elsewhere[0]}' is in a catalog that is not available here: deploy with BUNDLE_VAR_catalog={CATALOG}."
        )
    named = {
        "schemas": schemas,
        "volumes": _get(client, f"{catalog}/volumes").get("volumes", []),
        "registered_models": _get(client, f"{catalog}/models").get("registered_models", []),
    }
    experiments = client.api_client.do("POST", "/api/2.0/mlflow/experiments/search", body={})
    assert isinstance(experiments, dict)  # noqa: S101 (the API's answer, which has no type)
    found = {kind: {one["full_name"]: {"id": one["full_name"], **one} for one in many} for kind, many in named.items()}
    return found | {"experiments": {one["experiment_id"]: _named(one) for one in experiments.get("experiments", [])}}


def _named(experiment: dict[str, Any]) -> dict[str, Any]:
    """An experiment by the name that jobs give it; a workspace leaves out the beginning of it."""
    return {**experiment, "name": "/Workspace" + experiment["name"].removeprefix("/Workspace")}


def _get(client: WorkspaceClient, path: str, **query: Any) -> dict[str, Any]:
    answer = client.api_client.do("GET", path, query=query)
    assert isinstance(answer, dict)  # noqa: S101 (the API's answer, which has no type)
    return answer
