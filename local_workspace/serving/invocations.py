"""The REST contract of scoring: `POST /serving-endpoints/<name>/invocations`."""

import json
from collections.abc import Awaitable, Callable, Sequence

from fastapi import APIRouter, Request, Response
from mlflow.exceptions import MlflowException

from local_workspace.api.errors import ApiError, not_found
from local_workspace.serving.endpoints import Entity, Loaded, Versions, choose
from local_workspace.serving.features import OnlineStore
from local_workspace.serving.requests import BadRequest, parse

# As a workspace has it for models of one's own.
MAX_BYTES = 16 * 1024 * 1024

# The entities of an endpoint by its name; raises ApiError where there are none.
Find = Callable[[str], Awaitable[Sequence[Entity]]]


def make_router(find: Find, versions: Versions, store: OnlineStore) -> APIRouter:
    """The routes that score.

    Args:
        find: gives an endpoint's entities.
        versions: the versions in memory.
        store: features for callers that send keys alone.
    """
    router = APIRouter(prefix="/serving-endpoints/{name}")

    @router.post("/invocations")
    async def invoke(name: str, request: Request) -> Response:
        return await answer(choose(await find(name)), request)

    @router.post("/served-models/{served_model}/invocations")
    async def invoke_one(name: str, served_model: str, request: Request) -> Response:
        for entity in await find(name):
            if entity.name == served_model:
                return await answer(entity, request)
        raise not_found(f"The endpoint {name} has no served model {served_model}.")

    async def answer(entity: Entity, request: Request) -> Response:
        loaded = await load(entity)
        body = await request.body()
        try:
            if len(body) > MAX_BYTES:
                raise BadRequest(f"The request has {len(body)} bytes; {MAX_BYTES} are allowed.")
            columns, rows = parse(body)
            inputs = loaded.model.complete(columns, await store.current())
        except BadRequest as error:
            raise ApiError(400, "BAD_REQUEST", str(error)) from None
        predictions = await loaded.batcher.predict(inputs, rows)
        headers = {"served-model-name": entity.name}
        return Response(json.dumps({"predictions": predictions}), media_type="application/json", headers=headers)

    async def load(entity: Entity) -> Loaded:
        try:
            return await versions.get(entity)
        except (MlflowException, OSError) as error:
            text = f"{entity.model_name} version {entity.version} can't be loaded: {error}"
            raise ApiError(503, "TEMPORARILY_UNAVAILABLE", text) from None

    return router
