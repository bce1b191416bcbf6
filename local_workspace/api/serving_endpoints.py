"""Model Serving: `/api/2.0/serving-endpoints`."""

from fastapi import APIRouter

from local_workspace.api.context import Context
from local_workspace.api.errors import not_found


def make_router(context: Context) -> APIRouter:
    """The calls that `WorkspaceClient().serving_endpoints` makes."""
    router = APIRouter(prefix="/api/2.0/serving-endpoints")
    endpoints = context.documents("serving_endpoints")

    @router.get("/{name}")
    def get(name: str) -> dict[str, object]:
        endpoint = endpoints.get(name)
        if endpoint is None:
            raise not_found(f"The given endpoint does not exist: {name}.")
        return endpoint

    return router
