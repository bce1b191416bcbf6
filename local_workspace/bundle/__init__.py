"""Reads `databricks.yml` and what it includes, and resolves it as the Databricks CLI does."""

from local_workspace.bundle.jobs import Job, Task
from local_workspace.bundle.load import Bundle, load_bundle

__all__ = ["Bundle", "Job", "Task", "load_bundle"]
