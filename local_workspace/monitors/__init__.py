"""What Databricks' data profiling does, on this machine: the metric tables of a monitored table."""

from local_workspace.monitors.refresh import State, refresh

__all__ = ["State", "refresh"]
