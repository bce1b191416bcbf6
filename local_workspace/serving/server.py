"""`make serve`: one process that answers scoring requests until it is stopped."""

import socket

import uvicorn
from fastapi import FastAPI

from local_workspace.api.documents import Documents
from local_workspace.api.errors import answer_errors
from local_workspace.serving.champion import ServedHere
from local_workspace.serving.endpoints import Versions
from local_workspace.serving.features import OnlineStore
from local_workspace.serving.invocations import make_router
from local_workspace.workspace import Workspace


def make_app(workspace: Workspace, endpoint: str, model_name: str) -> FastAPI:
    """The application; it sees what jobs deploy and publish meanwhile."""
    versions = Versions()
    served = ServedHere(endpoint, model_name, Documents(workspace.root / "api" / "serving_endpoints"), versions)
    app = FastAPI(openapi_url=None)
    answer_errors(app)
    app.include_router(
        make_router(served.entities, versions, OnlineStore(Documents(workspace.online_store / "tables")))
    )
    return app


def serve(workspace: Workspace, endpoint: str, model_name: str, listening: socket.socket) -> None:
    """Serves on a listening socket, until it is interrupted."""
    config = uvicorn.Config(make_app(workspace, endpoint, model_name), log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[listening])
