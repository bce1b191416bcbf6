"""What `mode: development` and `presets` do to resources, after the CLI's `ApplyPresets`."""

import posixpath
import re
from typing import Any

DEVELOPMENT_CONCURRENT_RUNS = 4
_FULL_PREFIX = {"jobs": "name", "models": "name", "dashboards": "display_name", "alerts": "display_name"}
_PLAIN_PREFIX = ("model_serving_endpoints", "registered_models", "schemas")
_TRIGGERS = ("schedule", "continuous", "trigger")


def development_presets(presets: dict[str, Any], short_name: str) -> dict[str, Any]:
    """Fills in what development mode sets unless the bundle says otherwise."""
    return {
        **presets,
        "name_prefix": presets.get("name_prefix") or f"[dev {short_name}] ",
        "tags": {"dev": short_name, **(presets.get("tags") or {})},
        "jobs_max_concurrent_runs": presets.get("jobs_max_concurrent_runs") or DEVELOPMENT_CONCURRENT_RUNS,
        "trigger_pause_status": presets.get("trigger_pause_status") or "PAUSED",
    }


def apply_presets(resources: dict[str, Any], presets: dict[str, Any]) -> dict[str, Any]:
    """Prefixes names, adds tags, pauses what has a schedule, and gives jobs their defaults."""
    return {
        kind: {key: _apply(kind, dict(resource or {}), presets) for key, resource in (group or {}).items()}
        for kind, group in resources.items()
    }


def plain_prefix(prefix: str) -> str:
    """`[dev jane] ` as a name may have it in Unity Catalog: `dev_jane_`."""
    prefix = prefix.replace("[", "").strip(" ")
    return normalize(prefix) + ("_" if prefix.endswith("]") else "")


def normalize(name: str) -> str:
    """A user's name as the CLI writes it into names: lower case letters, digits, single underscores."""
    return re.sub(r"(?:[\W_])+", "_", name.lower()).strip("_")


def _apply(kind: str, resource: dict[str, Any], presets: dict[str, Any]) -> dict[str, Any]:
    prefix = presets.get("name_prefix") or ""
    tags = {key: str(value) for key, value in sorted((presets.get("tags") or {}).items())}
    if kind in _FULL_PREFIX:
        field = _FULL_PREFIX[kind]
        resource[field] = prefix + str(resource.get(field, ""))
    elif kind in _PLAIN_PREFIX:
        resource["name"] = plain_prefix(prefix) + str(resource.get("name", ""))
    elif kind == "experiments":
        folder, base = posixpath.split(str(resource.get("name", "")))
        resource["name"] = posixpath.join(folder, prefix + base)
    if kind == "jobs":
        _apply_to_job(resource, presets, tags)
    elif kind in {"experiments", "models"} and tags:
        own = list(resource.get("tags") or [])
        keys = {tag["key"] for tag in own}
        resource["tags"] = own + [{"key": k, "value": v} for k, v in tags.items() if k not in keys]
    elif kind == "volumes":
        resource.setdefault("volume_type", "MANAGED")
    return resource


def _apply_to_job(job: dict[str, Any], presets: dict[str, Any], tags: dict[str, str]) -> None:
    if tags:
        job["tags"] = {
            **tags,
            **{key: value for key, value in (job.get("tags") or {}).items() if value != ""},
        }
    job["max_concurrent_runs"] = job.get("max_concurrent_runs") or presets.get("jobs_max_concurrent_runs") or 1
    job.setdefault("queue", {"enabled": True})
    for field in _TRIGGERS:
        if job.get(field):
            status = job[field].get("pause_status") or presets.get("trigger_pause_status") or "UNPAUSED"
            job[field] = {**job[field], "pause_status": status}
