"""The application: one router an API."""

import secrets

from fastapi import Depends, FastAPI, Request

from local_workspace.api import data_quality, serving_endpoints, unity_catalog
from local_workspace.api.context import Context
from local_workspace.api.errors import ApiError, answer_errors

# An API is a module with `make_router(context) -> APIRouter`; add it here.
_APIS = (serving_endpoints, unity_catalog, data_quality)
# What the SDK asks any host first, without a token.
_DISCOVERY = "/.well-known/databricks-config"


def make_app(context: Context, token: str) -> FastAPI:
    """The service's application.

    Args:
        context: what the APIs answer with.
        token: what a caller must bring.
    """

    def check_token(request: Request) -> None:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if request.url.path != _DISCOVERY and not secrets.compare_digest(given, token):
            raise ApiError(401, "UNAUTHENTICATED", "The token is not this workspace's.")

    app = FastAPI(openapi_url=None, dependencies=[Depends(check_token)])
    answer_errors(app)

    @app.get(_DISCOVERY)
    def discover(request: Request) -> dict[str, str]:
        return {"oidc_endpoint": f"{request.base_url}oidc"}

    for api in _APIS:
        app.include_router(api.make_router(context))
    return app
