"""Data profiling: `/api/data-quality/v1/monitors`; what is measured is in `local_workspace.monitors`."""

import time
import traceback
from dataclasses import asdict
from itertools import count
from threading import Lock
from typing import Any

from databricks.sdk.service.dataquality import DataProfilingConfig
from fastapi import APIRouter, BackgroundTasks

from local_workspace.api.context import Context
from local_workspace.api.errors import ApiError, not_found
from local_workspace.monitors import State, refresh

_PENDING, _SUCCESS, _FAILED = (f"MONITOR_REFRESH_STATE_{name}" for name in ("PENDING", "SUCCESS", "FAILED"))
# What the platform adds to a monitor.
_OF_PLATFORM = ("monitored_table_name", "profile_metrics_table_name", "drift_metrics_table_name", "status")

type Json = dict[str, Any]


def make_router(context: Context) -> APIRouter:
    """The calls that `WorkspaceClient().data_quality` makes for tables."""
    router = APIRouter(prefix="/api/data-quality/v1/monitors")
    monitors, tables = context.documents("monitors"), context.documents("tables")
    refreshes: dict[str, Json] = {}
    ids, one_at_a_time = count(time.time_ns() // 1000), Lock()

    def find(table_id: str) -> Json:
        found = monitors.get(table_id)
        if found is None:
            raise not_found(f"There is no monitor of the table {table_id}.")
        return found

    @router.post("")
    def create(monitor: Json) -> Json:
        table_id = monitor["object_id"]
        table = tables.get(table_id)
        if table is None:
            raise not_found(f"There is no table {table_id}.")
        if monitors.get(table_id) is not None:
            raise ApiError(409, "ALREADY_EXISTS", f"The table {table_id} already has a monitor.")
        name = table["full_name"]
        profiling = monitor["data_profiling_config"] | {
            "monitored_table_name": name,
            "profile_metrics_table_name": f"{name}_profile_metrics",
            "drift_metrics_table_name": f"{name}_drift_metrics",
            "status": "DATA_PROFILING_STATUS_ACTIVE",
        }
        made = monitor | {"data_profiling_config": profiling}
        monitors.put(table_id, {"monitor": made, "state": asdict(State())})
        return made

    @router.get("/table/{table_id}")
    def get(table_id: str) -> Json:
        monitor: Json = find(table_id)["monitor"]
        return monitor

    @router.patch("/table/{table_id}")
    def update(table_id: str, monitor: Json) -> Json:
        before = find(table_id)["monitor"]
        kept = {name: before["data_profiling_config"][name] for name in _OF_PLATFORM}
        made: Json = before | {"data_profiling_config": monitor["data_profiling_config"] | kept}
        # What it measured by another definition is measured again.
        monitors.put(table_id, {"monitor": made, "state": asdict(State())})
        return made

    @router.post("/table/{table_id}/refreshes")
    def create_refresh(table_id: str, background: BackgroundTasks) -> Json:
        find(table_id)
        begun = {"object_type": "table", "object_id": table_id, "refresh_id": next(ids), "start_time_ms": _now()}
        refreshes[table_id] = begun | {"state": _PENDING, "trigger": "MONITOR_REFRESH_TRIGGER_MANUAL"}
        background.add_task(run, table_id, refreshes[table_id])
        return refreshes[table_id]

    @router.get("/table/{table_id}/refreshes/{refresh_id}")
    def get_refresh(table_id: str, refresh_id: int) -> Json:
        newest = refreshes.get(table_id)
        if newest is None or newest["refresh_id"] != refresh_id:
            raise not_found(f"There is no refresh {refresh_id} of the table {table_id}.")
        return newest

    def run(table_id: str, begun: Json) -> None:
        """Measures, on a thread of the service, in the session that the jobs run in."""
        try:
            with one_at_a_time:
                found = find(table_id)
                profiling = DataProfilingConfig.from_dict(found["monitor"]["data_profiling_config"])
                after = refresh(context.spark(), profiling, State.from_dict(found["state"]))
                monitors.put(table_id, found | {"state": asdict(after)})
            outcome = {"state": _SUCCESS}
        except Exception as error:
            traceback.print_exc()
            outcome = {"state": _FAILED, "message": f"{type(error).__name__}: {error}"}
        refreshes[table_id] = begun | outcome | {"end_time_ms": _now()}

    return router


def _now() -> int:
    return time.time_ns() // 1_000_000
