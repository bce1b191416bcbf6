"""How the CLI merges bundle files and target overrides."""

from typing import Any

from local_workspace.errors import BundleError

_MERGED_FIELDS = ("bundle", "workspace", "artifacts", "resources", "sync", "permissions", "presets")
_TARGET_FIELDS = {*_MERGED_FIELDS, "variables", "run_as", "mode", "default", "git", "cluster_id", "compute_id"}
# Lists of a job whose elements are one thing when this key agrees; all other lists are concatenated.
_KEYED_LISTS = {"job_clusters": "job_cluster_key", "parameters": "name", "tasks": "task_key"}


def merge(base: Any, override: Any) -> Any:
    """Maps are merged, lists concatenated, and of two plain values the second wins."""
    if base is None or override is None:
        return override if base is None else base
    if isinstance(base, dict) and isinstance(override, dict):
        merged = dict(base)
        for key, value in override.items():
            merged[key] = merge(merged[key], value) if key in merged else value
        return merged
    if isinstance(base, list) and isinstance(override, list):
        return [*base, *override]
    if isinstance(base, dict | list) or isinstance(override, dict | list):
        raise BundleError(f"a {type(base).__name__} can't be merged with a {type(override).__name__}.")
    return override


def apply_target(config: dict[str, Any], name: str | None) -> tuple[str, dict[str, Any]]:
    """Selects a target (the default one when no name is given) and merges it over the rest."""
    targets = _targets(config)
    name = name or _default_target(targets)
    if name not in targets:
        known = ", ".join(sorted(targets))
        raise BundleError(f"databricks.yml has no target '{name}' (known: {known}).")
    target = targets[name] or {}
    unknown = sorted(set(target) - _TARGET_FIELDS)
    if unknown:
        raise BundleError(f"target '{name}': unknown field '{unknown[0]}'.")
    merged = {key: value for key, value in config.items() if key not in {"targets", "environments"}}
    for field in _MERGED_FIELDS:
        if field in target:
            merged[field] = merge(merged.get(field), target[field])
    merged["variables"] = _override_variables(merged.get("variables") or {}, target.get("variables") or {}, name)
    if "run_as" in target:
        merged["run_as"] = target["run_as"]
    bundle = merged.get("bundle") or {}
    git = merge(bundle.get("git"), target.get("git"))
    merged["bundle"] = {**bundle, "git": git, "target": name, "environment": name, "mode": target.get("mode") or ""}
    return name, merged


def merge_job_lists(job: dict[str, Any]) -> dict[str, Any]:
    """Joins the elements that a target's override added to a job's lists with those they mean."""
    merged = dict(job)
    for field, key in _KEYED_LISTS.items():
        if field in merged:
            merged[field] = _merge_by_key(merged[field] or [], key)
    if "tasks" in merged:
        merged["tasks"] = sorted(merged["tasks"], key=lambda task: str(task.get("task_key", "")))
    return merged


def _targets(config: dict[str, Any]) -> dict[str, Any]:
    """The targets, also under the name that they once had; a bundle without any has one."""
    if "targets" in config and "environments" in config:
        raise BundleError("databricks.yml has 'targets' and 'environments', their old name: write all as 'targets'.")
    return config.get("targets") or config.get("environments") or {"default": {}}


def _default_target(targets: dict[str, Any]) -> str:
    defaults = [name for name, target in targets.items() if (target or {}).get("default")]
    if len(targets) == 1:
        return next(iter(targets))
    if len(defaults) != 1:
        raise BundleError(f"databricks.yml must mark one target as default, and it marks {len(defaults)}.")
    return defaults[0]


def _override_variables(variables: dict[str, Any], overrides: dict[str, Any], target: str) -> dict[str, Any]:
    result = dict(variables)
    for name, override in overrides.items():
        if name not in variables:
            raise BundleError(f"target '{target}' sets the variable '{name}', which is not defined.")
        full = isinstance(override, dict) and bool({"default", "lookup"} & set(override))
        result[name] = {**(variables[name] or {}), **(override if full else {"default": override})}
    return result


def _merge_by_key(elements: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    merged: dict[str, dict[str, Any]] = {}
    for element in elements:
        name = str(element.get(key, ""))
        merged[name] = merge(merged.get(name), element)
    return list(merged.values())
