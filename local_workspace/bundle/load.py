"""From the files of a bundle to jobs that can run: merge, target, variables, presets, ids."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_workspace.bundle.deploy import LOCAL_USER, deploy, workspace_settings
from local_workspace.bundle.files import ROOT_FILE, read_bundle_files
from local_workspace.bundle.git import describe_git, why_no_commit
from local_workspace.bundle.jobs import Job, parse_job
from local_workspace.bundle.merge import apply_target
from local_workspace.bundle.presets import development_presets
from local_workspace.bundle.references import resolve
from local_workspace.bundle.variables import set_variables
from local_workspace.errors import BundleError

# What the CLI does for these sections nobody does here.
_NOT_HERE = ("artifacts", "experimental", "python", "scripts")
_WITHOUT_COMMIT = (
    "the commit is not known ({why}), so versions and verdicts are recorded without it: run in a git checkout, and if "
    "another user owns it, trust it with 'git config --global --add safe.directory \"{root}\"'."
)
# What references can name before there are resources.
_EARLY = {"var", "variables", "bundle", "workspace"}


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
    root: Path,
    target: str | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    user: str = LOCAL_USER,
) -> Bundle:
    """Loads and resolves the bundle whose `databricks.yml` is in `root`.

    Args:
        root: The bundle's folder.
        target: A target's name; the default target when left out.
        environ: Where `BUNDLE_VAR_<name>` and `USE_CASE` are looked up; the process environment when left out.
        user: Who deploys: development mode puts the short form of it into names.
    """
    root = root.resolve()
    environ = os.environ if environ is None else environ
    source = read_bundle_files(root, environ)
    if not (source.config.get("bundle") or {}).get("name"):
        raise BundleError(f"{ROOT_FILE}: 'bundle.name' is missing.")
    name, config = apply_target(source.config, target)
    for section in _NOT_HERE:
        if section in config:
            print(f"warning: '{section}' is not supported on one machine: it is left out.", file=sys.stderr)
    config["bundle"]["git"] = {**describe_git(root), **(config["bundle"].get("git") or {})}
    if not config["bundle"]["git"]["commit"]:
        print(f"warning: {_WITHOUT_COMMIT.format(why=why_no_commit(root), root=root)}", file=sys.stderr)
    config["variables"] = set_variables(config["variables"], environ)
    config["workspace"] = workspace_settings(config.get("workspace") or {}, user)
    for part in ("workspace", "bundle", "variables", "presets", "run_as", "resources"):
        config[part] = resolve(config.get(part) or {}, config, _EARLY, source.place)
    if config["bundle"]["mode"] == "development":
        short_name = config["workspace"]["current_user"]["short_name"]
        config["presets"] = development_presets(config["presets"], short_name)
    resources = deploy(config, source.place)
    jobs = resources.get("jobs", {})
    return Bundle(
        root=root,
        name=config["bundle"]["name"],
        target=name,
        file_path=config["workspace"]["file_path"],
        variables={key: variable["value"] for key, variable in config["variables"].items()},
        resources=resources,
        jobs={key: parse_job(key, job, source.resources.get(("jobs", key), ROOT_FILE)) for key, job in jobs.items()},
        job_keys={job["id"]: key for key, job in jobs.items()},
    )
