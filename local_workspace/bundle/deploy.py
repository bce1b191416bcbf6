"""What a deployment adds: paths in the workspace, presets, ids, and the references that need them."""

from collections.abc import Callable
from typing import Any

from local_workspace.bundle.merge import merge_job_lists
from local_workspace.bundle.presets import apply_presets, normalize
from local_workspace.bundle.references import resolve

LOCAL_USER = "local@localhost"
_FIRST_JOB_ID = 1001
_FOLDERS = {"file": "files", "resource": "resources", "artifact": "artifacts", "state": "state"}
# The fields that make up the id of what lives in the catalog.
_FULL_NAMES = {
    "schemas": ("catalog_name", "name"),
    "registered_models": ("catalog_name", "schema_name", "name"),
    "volumes": ("catalog_name", "schema_name", "name"),
}


def workspace_settings(settings: dict[str, Any], user: str) -> dict[str, Any]:
    """The `workspace` section with the paths and the user that a workspace would fill in."""
    root = settings.get("root_path") or "~/.bundle/${bundle.name}/${bundle.target}"
    if root.startswith("~/"):
        root = f"/Workspace/Users/{user}/{root.removeprefix('~/')}"
    paths = {f"{part}_path": f"{root}/{folder}" for part, folder in _FOLDERS.items()}
    short_name = normalize(user.partition("@")[0])
    current_user = {
        "userName": user,
        "short_name": short_name,
        "domain_friendly_name": short_name.replace("_", "-"),
    }
    return {"host": "", "profile": "", **paths, **settings, "root_path": root, "current_user": current_user}


def deploy(config: dict[str, Any], place: Callable[[str], str]) -> dict[str, Any]:
    """The resources as they would be in the workspace, with nothing unresolved."""
    resources = dict(config["resources"])
    if resources.get("jobs"):
        resources["jobs"] = {key: _prepare_job(job or {}, config) for key, job in resources["jobs"].items()}
    resources = _with_ids(apply_presets(resources, config["presets"]))
    resolved: dict[str, Any] = resolve(resources, {"resources": resources}, {"resources"}, place)
    return resolved


def _prepare_job(job: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    job = merge_job_lists(job)
    file_path = config["workspace"]["file_path"]
    job["tasks"] = [_with_deployed_path(task, file_path) for task in job.get("tasks") or []]
    return {"run_as": config["run_as"], **job} if config["run_as"] else job


def _with_deployed_path(task: dict[str, Any], file_path: str) -> dict[str, Any]:
    """A notebook has no suffix in the workspace."""
    notebook = task.get("notebook_task") or {}
    path = notebook.get("notebook_path")
    if not isinstance(path, str) or path.startswith("/"):
        return task
    return {**task, "notebook_task": {**notebook, "notebook_path": f"{file_path}/{path.removesuffix('.py')}"}}


def _with_ids(resources: dict[str, Any]) -> dict[str, Any]:
    return {
        kind: {
            key: {"id": _make_id(kind, number, group[key]), **group[key]} for number, key in enumerate(sorted(group))
        }
        for kind, group in resources.items()
    }


def _make_id(kind: str, number: int, resource: dict[str, Any]) -> int | str:
    if kind == "jobs":
        return _FIRST_JOB_ID + number
    if kind in _FULL_NAMES:
        return ".".join(str(resource.get(field, "")) for field in _FULL_NAMES[kind])
    return str(number + 1)
