"""The data profiling monitor of `inference_log`: what it measures, and its refresh."""

import time
from collections.abc import Callable

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound
from databricks.sdk.service.dataquality import (
    AggregationGranularity,
    DataProfilingConfig,
    DataProfilingCustomMetric,
    DataProfilingCustomMetricType,
    DataProfilingStatus,
    InferenceLogConfig,
    InferenceProblemType,
    Monitor,
    Refresh,
    RefreshState,
)
from pyspark.sql.types import DoubleType, LongType, StructField

from monitoring.figures import TABLE, aggregates
from project.config import Config
from project.tables import Tables, plain

_OBJECT = "table"
_KINDS = {"double": DoubleType(), "long": LongType()}
_UNDER_WAY = {RefreshState.MONITOR_REFRESH_STATE_PENDING, RefreshState.MONITOR_REFRESH_STATE_RUNNING}
_FIRST_PAUSE, _LONGEST_PAUSE, _GROWTH = 0.1, 30.0, 1.2
_TIMEOUT_SECONDS = 1500.0


class MonitorError(Exception):
    """The monitor could not be made or refreshed; the text has the platform's own words."""


def refresh_monitor(
    client: WorkspaceClient, tables: Tables, config: Config, sleep: Callable[[float], None] = time.sleep
) -> str:
    """Makes the monitor if it is missing, brings it to this configuration, refreshes it and waits for the end.

    Args:
        client: the workspace.
        tables: `inference_log` is monitored and `inference_baseline` is what it is compared with; both must be there.
        config: names the columns.
        sleep: waits, for as many seconds.

    Returns:
        What was done, in a few words.

    Raises:
        MonitorError: it failed, or took longer than 25 minutes.
    """
    wanted = make_monitor(client, tables, config)
    try:
        found = client.data_quality.get_monitor(_OBJECT, wanted.object_id)
    except NotFound:
        found = client.data_quality.create_monitor(wanted)
    if not _is_as_wanted(found, wanted):
        client.data_quality.update_monitor(_OBJECT, wanted.object_id, wanted, "data_profiling_config")
    _wait_until_active(client, wanted.object_id, sleep)
    asked = Refresh(object_type=_OBJECT, object_id=wanted.object_id)
    _wait_for_refresh(client, client.data_quality.create_refresh(_OBJECT, wanted.object_id, asked), sleep)
    return "refreshed"


def make_monitor(client: WorkspaceClient, tables: Tables, config: Config) -> Monitor:
    """The monitor as it should be: days by the moment of prediction, of each version, by slice.

    Args:
        client: knows the ids of table and schema.
        tables: name them.
        config: names the columns.
    """
    profiling = DataProfilingConfig(
        output_schema_id=_required(client.schemas.get(plain(tables.full_schema)).schema_id),
        baseline_table_name=plain(tables.inference_baseline),
        inference_log=InferenceLogConfig(
            problem_type=InferenceProblemType[f"INFERENCE_PROBLEM_TYPE_{config.label.problem_type}"],
            timestamp_column=config.subject.prediction_time,
            granularities=[AggregationGranularity.AGGREGATION_GRANULARITY_1_DAY],
            prediction_column=config.label.predicted(config.prediction.column),
            label_column=config.label.column,
            model_id_column="model_version",
        ),
        slicing_exprs=list(config.slices),
        custom_metrics=[
            DataProfilingCustomMetric(
                name=name,
                definition=aggregate.definition,
                input_columns=[TABLE],
                output_data_type=StructField("output", _KINDS[aggregate.kind]).json(),
                type=DataProfilingCustomMetricType.DATA_PROFILING_CUSTOM_METRIC_TYPE_AGGREGATE,
            )
            for name, aggregate in aggregates(config).items()
        ],
        skip_builtin_dashboard=True,
    )
    table_id = _required(client.tables.get(plain(tables.inference_log)).table_id)
    return Monitor(object_type=_OBJECT, object_id=table_id, data_profiling_config=profiling)


def _required(identity: str | None) -> str:
    if identity is None:
        raise MonitorError("The catalog gives no id, so nothing can be monitored.")
    return identity


def _is_as_wanted(found: Monitor, wanted: Monitor) -> bool:
    """True if all that is wanted is there; the platform adds more."""
    there = found.data_profiling_config.as_dict() if found.data_profiling_config else {}
    asked = wanted.data_profiling_config.as_dict() if wanted.data_profiling_config else {}
    return all(there.get(name) == value for name, value in asked.items())


def _wait_until_active(client: WorkspaceClient, table_id: str, sleep: Callable[[float], None]) -> None:
    pauses = _Pauses(sleep)
    while True:
        profiling = client.data_quality.get_monitor(_OBJECT, table_id).data_profiling_config
        status = profiling.status if profiling else None
        if status is not DataProfilingStatus.DATA_PROFILING_STATUS_PENDING:
            break
        pauses.next()
    if profiling is None or status is not DataProfilingStatus.DATA_PROFILING_STATUS_ACTIVE:
        why = profiling.latest_monitor_failure_message if profiling else None
        raise MonitorError(f"The monitor is not active: {why or status}")


def _wait_for_refresh(client: WorkspaceClient, refresh: Refresh, sleep: Callable[[float], None]) -> None:
    pauses = _Pauses(sleep)
    while refresh.state in _UNDER_WAY:
        pauses.next()
        assert refresh.refresh_id is not None  # noqa: S101 (of a refresh that was begun)
        refresh = client.data_quality.get_refresh(_OBJECT, refresh.object_id, refresh.refresh_id)
    if refresh.state is not RefreshState.MONITOR_REFRESH_STATE_SUCCESS:
        raise MonitorError(f"The monitor's refresh failed: {refresh.message or refresh.state}")


class _Pauses:
    """Longer and longer ones, up to a sum."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self._sleep, self._pause, self._slept = sleep, _FIRST_PAUSE, 0.0

    def next(self) -> None:
        if self._slept > _TIMEOUT_SECONDS:
            raise MonitorError(f"The monitor was not ready after {_TIMEOUT_SECONDS:.0f} s.")
        self._sleep(self._pause)
        self._slept += self._pause
        self._pause = min(self._pause * _GROWTH, _LONGEST_PAUSE)
