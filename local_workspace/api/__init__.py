"""The few calls of the workspace's REST API that stages make through databricks-sdk, answered on this machine."""

from local_workspace.api.context import Context
from local_workspace.api.service import serve_api

__all__ = ["Context", "serve_api"]
