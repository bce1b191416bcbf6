"""From the files of a bundle to jobs that can run: merge, target, variables, presets, ids."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from local_workspace.bundle.files import Source, read_bundle_files
from local_workspace.bundle.git import describe_git
from local_workspace.bundle.jobs import Job
from local_workspace.bundle.merge import apply_target, merge_job_lists
from local_workspace.bundle.presets import apply_presets, development_presets, normalize
from local_workspace.bundle.references import resolve
from local_workspace.bundle.variables import set_variables
from local_workspace.errors import BundleError

LOCAL_USER = "local@localhost"
FIRST_JOB_ID = 1001
_EARLY = {"var", "variables", "bundle", "workspace"}
_TOP_LEVEL = {"bundle", "include", "variables", "workspace", "resources", "targets", "sync", "presets"} | {
    "permissions",
    "run_as",
    "artifacts",
    "experimental",
}


@dataclass(frozen=True)
class Bundle:
    """A bundle as one target deploys it, on a workspace that is this machine."""

    root: Path
    name: str
    target: str
    file_path: str
    variables: Mapping[str, Any]
    resources: Mapping[str, Mapping[str, Mapping[str, Any]]]
    jobs: Mapping[str, Job]
    job_keys: Mapping[int, str]

    def resource(self, kind: str, key: str) -> Mapping[str, Any]:
        """The resolved settings of a resource, `id` included; an unknown one is an error by name."""
        try:
            return self.resources[kind][key]
        except KeyError:
            raise BundleError(f"the bundle has no resource '{kind}.{key}'.") from None

    def notebook_file(self, notebook_path: str) -> Path:
        """The file behind a notebook's workspace path."""
        relative = notebook_path.removeprefix(self.file_path).lstrip("/")
        return self.root / f"{relative.removesuffix('.py')}.py"


def load_bundle(
    root: Path, target: str | None = None, *, environ: Mapping[str, str] | None = None, user: str = LOCAL_USER
) -> Bundle:
    """Loads and resolves the bundle whose `databricks.yml` is in `root`.

    Args:
        root: The bundle's folder.
        target: A target's name; the default target when left out.
        environ: Where `BUNDLE_VAR_<name>` is looked up; the process environment when left out.
        user: Who deploys: development mode puts the short form of it into names.
    """
    source = read_bundle_files(root.resolve())
    _check_top_level(source.config)
    name, config = apply_target(source.config, target)
    config["bundle"]["git"] = {**describe_git(root), **(config["bundle"].get("git") or {})}
    config["variables"] = set_variables(config["variables"], os.environ if environ is None else environ)
    config["workspace"] = _workspace(config.get("workspace") or {}, user)
    config = {
        **config,
        **{part: resolve(config[part], config, _EARLY, source.place) for part in ("workspace", "bundle")},
    }
    resources = resolve(config.get("resources") or {}, config, _EARLY, source.place)
    presets = resolve(config.get("presets") or {}, config, _EARLY, source.place)
    if config["bundle"]["mode"] == "development":
        presets = development_presets(presets, config["workspace"]["current_user"]["short_name"])
    resources = _with_ids(apply_presets(_prepare_jobs(resources, config["workspace"]["file_path"]), presets))
    resources = resolve(resources, {"resources": resources}, {"resources"}, source.place)
    variables = {
        key: resolve(item["value"], config, _EARLY, source.place) for key, item in config["variables"].items()
    }
    return Bundle(
        root=root.resolve(),
        name=config["bundle"]["name"],
        target=name,
        file_path=config["workspace"]["file_path"],
        variables=variables,
        resources=resources,
        jobs={key: _parse_job(key, job, source) for key, job in (resources.get("jobs") or {}).items()},
        job_keys={job["id"]: key for key, job in (resources.get("jobs") or {}).items()},
    )


def _check_top_level(config: dict[str, Any]) -> None:
    unknown = sorted(set(config) - _TOP_LEVEL)
    if unknown:
        raise BundleError(f"databricks.yml: unknown field '{unknown[0]}'.")
    if not (config.get("bundle") or {}).get("name"):
        raise BundleError("databricks.yml: 'bundle.name' is missing.")


def _workspace(settings: dict[str, Any], user: str) -> dict[str, Any]:
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


_FOLDERS = {"file": "files", "resource": "resources", "artifact": "artifacts", "state": "state"}


def _prepare_jobs(resources: dict[str, Any], file_path: str) -> dict[str, Any]:
    jobs = {key: merge_job_lists(job or {}) for key, job in (resources.get("jobs") or {}).items()}
    for job in jobs.values():
        job["tasks"] = [_deployed_path(task, file_path) for task in job.get("tasks") or []]
    return {**resources, **({"jobs": jobs} if jobs else {})}


def _deployed_path(task: dict[str, Any], file_path: str) -> dict[str, Any]:
    """A notebook's path in the workspace, where it has no suffix."""
    notebook = task.get("notebook_task") or {}
    path = notebook.get("notebook_path")
    if not isinstance(path, str) or path.startswith("/"):
        return task
    return {**task, "notebook_task": {**notebook, "notebook_path": f"{file_path}/{path.removesuffix('.py')}"}}


def _with_ids(resources: dict[str, Any]) -> dict[str, Any]:
    """Gives each resource the `id` that a deployment would: numbers to jobs, full names to the catalog's."""
    ids = {
        "jobs": lambda number, _: FIRST_JOB_ID + number,
        "schemas": lambda _, item: f"{item.get('catalog_name')}.{item.get('name')}",
        "registered_models": lambda _, item: (
            f"{item.get('catalog_name')}.{item.get('schema_name')}.{item.get('name')}"
        ),
        "volumes": lambda _, item: f"{item.get('catalog_name')}.{item.get('schema_name')}.{item.get('name')}",
    }
    return {
        kind: {
            key: {"id": ids.get(kind, lambda number, _: str(number + 1))(number, group[key]), **group[key]}
            for number, key in enumerate(sorted(group))
        }
        for kind, group in resources.items()
    }


def _parse_job(key: str, settings: dict[str, Any], source: Source) -> Job:
    try:
        return Job.model_validate({name: value for name, value in settings.items() if name != "id"})
    except ValidationError as error:
        first = error.errors()[0]
        place = source.resources.get(("jobs", key), "databricks.yml")
        raise BundleError(
            f"{place}: job '{key}': {_explain(first['type'], first['loc'], first['msg'], settings)}"
        ) from None


def _explain(kind: str, location: tuple[int | str, ...], message: str, settings: dict[str, Any]) -> str:
    where = ".".join(str(part) for part in location)
    if len(location) > 1 and location[0] == "tasks" and isinstance(location[1], int):
        task = settings["tasks"][location[1]].get("task_key", location[1])
        where = f"task '{task}'" + "".join(f" · {part}" for part in location[2:])
    if kind == "extra_forbidden":
        return f"{where}: this field is not supported by the local runner."
    return f"{where}: {message}."
