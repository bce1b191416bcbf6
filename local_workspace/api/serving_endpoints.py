"""Model Serving: `/api/2.0/serving-endpoints`, their permissions, and scoring."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter

from local_workspace.api.context import Context
from local_workspace.api.documents import Documents
from local_workspace.api.errors import ApiError, not_found
from local_workspace.serving.endpoints import Entity, Versions, entities_of
from local_workspace.serving.features import OnlineStore
from local_workspace.serving.invocations import make_router as make_scoring_router

KIND, INFERENCE_TABLES = "serving_endpoints", "inference_tables"
# An update goes on beside the call that asks for it; one that is done within this time is told as done.
PATIENCE_SECONDS = 20.0
_ALL_PERCENT = 100
_UPDATING, _SETTLED, _FAILED = "IN_PROGRESS", "NOT_UPDATING", "UPDATE_FAILED"

_FIELDS = ("name", "tags", "ai_gateway", "description")

Json = dict[str, Any]


class Endpoints:
    """The endpoints of the workspace, and the updates that go on."""

    def __init__(self, documents: Documents, tables: Documents, versions: Versions) -> None:
        """Takes where endpoints and the inference tables ever made are written down, and what loads versions."""
        self._documents, self._tables, self._versions = documents, tables, versions
        self._updates: dict[str, asyncio.Task[None]] = {}

    def get(self, name: str) -> Json:
        """An endpoint as the API tells it."""
        endpoint = self._documents.get(name)
        if endpoint is None:
            raise not_found(f"The given endpoint does not exist: {name}.")
        return endpoint

    async def entities(self, name: str) -> Sequence[Entity]:
        """The entities that answer for an endpoint."""
        entities = entities_of(self.get(name).get("config", {}))
        if not entities:
            raise ApiError(503, "TEMPORARILY_UNAVAILABLE", f"The endpoint {name} is not ready.")
        return entities

    async def create(self, request: Json) -> Json:
        """Makes an endpoint, which is ready when its first update has ended."""
        name = request["name"]
        if self._documents.get(name) is not None:
            raise ApiError(409, "RESOURCE_ALREADY_EXISTS", f"Endpoint with name '{name}' already exists.")
        self._make_table({}, request.get("ai_gateway", {}))
        endpoint: Json = {key: value for key, value in request.items() if key in _FIELDS}
        endpoint |= {"id": f"{time.time_ns():032x}", "creation_timestamp": _now(), "last_updated_timestamp": _now()}
        endpoint["state"] = {"ready": "NOT_READY", "config_update": _SETTLED}
        return await self._update(endpoint, request["config"])

    async def update(self, name: str, config: Json) -> Json:
        """Starts to serve another configuration."""
        endpoint = self.get(name)
        if endpoint["state"]["config_update"] == _UPDATING and name in self._updates:
            raise ApiError(409, "RESOURCE_CONFLICT", f"Endpoint {name} is being updated: wait for its end.")
        return await self._update(endpoint, config)

    def change(self, name: str, **fields: Any) -> Json:
        """Sets fields that take effect at once."""
        endpoint = self.get(name) | fields
        self._documents.put(name, endpoint)
        return endpoint

    def put_gateway(self, name: str, gateway: Json) -> Json:
        """Sets the gateway, and makes its inference table."""
        self._make_table(self.get(name).get("ai_gateway", {}), gateway)
        return self.change(name, ai_gateway=gateway)

    def _make_table(self, before: Json, after: Json) -> None:
        """Notes the inference table of a gateway: one that is there already is refused, as a workspace does."""
        table = _inference_table(after)
        if table is None or table == _inference_table(before):
            return
        if self._tables.get(table) is not None:
            text = f"Table in Unity Catalog {table} already exists. Please specify a different table prefix."
            raise ApiError(400, "BAD_REQUEST", text)
        self._tables.put(table, {})

    def delete(self, name: str) -> None:
        """Removes an endpoint; its inference table stays."""
        self.get(name)
        self._documents.delete(name)
        self._forget()

    async def _update(self, endpoint: Json, config: Json) -> Json:
        name = endpoint["name"]
        _check(config)
        version = endpoint.get("config", {}).get("config_version", 0) + 1
        config = {**config, "config_version": version}
        self._documents.put(name, endpoint | {"pending_config": config, "state": _state(endpoint, _UPDATING)})
        task = self._updates[name] = asyncio.create_task(self._bring(name, config))
        await asyncio.wait([task], timeout=PATIENCE_SECONDS)
        return self.get(name)

    async def _bring(self, name: str, config: Json) -> None:
        """Loads what is to be served, and serves it; if it can't be loaded, all stays as it was."""
        try:
            for entity in entities_of(config):
                await self._versions.get(entity)
        except Exception:
            endpoint = self.get(name)
            endpoint["state"] = _state(endpoint, _FAILED)
        else:
            endpoint = self.get(name) | {"config": config, "last_updated_timestamp": _now()}
            endpoint["state"] = {"ready": "READY", "config_update": _SETTLED}
        del endpoint["pending_config"]
        del self._updates[name]
        self._documents.put(name, endpoint)
        self._forget()

    def _forget(self) -> None:
        """Lets go of the versions that no endpoint serves or is about to serve."""
        known = [self.get(name) for name in self._documents.names()]
        configs = [endpoint.get(key, {}) for endpoint in known for key in ("config", "pending_config")]
        self._versions.keep([entity for config in configs for entity in entities_of(config)])


def make_router(context: Context) -> APIRouter:
    """The calls that `WorkspaceClient().serving_endpoints` makes."""
    versions = Versions()
    endpoints = Endpoints(context.documents(KIND), context.documents(INFERENCE_TABLES), versions)
    permissions = context.documents("serving_endpoint_permissions")
    router = APIRouter()
    path = "/api/2.0/serving-endpoints"

    @router.get(path + "/{name}")
    async def get(name: str) -> Json:
        return endpoints.get(name)

    @router.post(path)
    async def create(request: Json) -> Json:
        return await endpoints.create(request)

    @router.put(path + "/{name}/config")
    async def update_config(name: str, request: Json) -> Json:
        return await endpoints.update(name, request)

    @router.put(path + "/{name}/ai-gateway")
    async def put_ai_gateway(name: str, request: Json) -> Json:
        endpoints.put_gateway(name, request)
        return request

    @router.patch(path + "/{name}/tags")
    async def patch_tags(name: str, request: Json) -> Json:
        tags = {tag["key"]: tag for tag in endpoints.get(name).get("tags", [])}
        tags |= {tag["key"]: tag for tag in request.get("add_tags", [])}
        left = [tag for key, tag in tags.items() if key not in request.get("delete_tags", [])]
        endpoints.change(name, tags=left)
        return {"tags": left}

    @router.delete(path + "/{name}")
    async def delete(name: str) -> Json:
        endpoints.delete(name)
        return {}

    @router.get("/api/2.0/permissions/serving-endpoints/{endpoint_id}")
    async def get_permissions(endpoint_id: str) -> Json:
        return permissions.get(endpoint_id) or {"object_id": endpoint_id, "access_control_list": []}

    @router.patch("/api/2.0/permissions/serving-endpoints/{endpoint_id}")
    async def update_permissions(endpoint_id: str, request: Json) -> Json:
        former = (await get_permissions(endpoint_id))["access_control_list"]
        given = {_principal(entry): _granted(entry) for entry in request["access_control_list"]}
        entries = {_principal(entry): entry for entry in former} | given
        document = {"object_id": endpoint_id, "access_control_list": list(entries.values())}
        permissions.put(endpoint_id, document)
        return document

    store = OnlineStore(Documents(context.workspace.online_store / "tables"))
    router.include_router(make_scoring_router(endpoints.entities, versions, store))
    return router


def _check(config: Json) -> None:
    """What a workspace refuses at once."""
    names = [entity.name for entity in entities_of(config)]
    routes = config.get("traffic_config", {}).get("routes", [])
    routed = [route.get("served_entity_name") or route.get("served_model_name") for route in routes]
    if not names or len(set(names)) < len(names):
        raise ApiError(400, "INVALID_PARAMETER_VALUE", "served_entities is required, and each needs a unique name.")
    if set(routed) - set(names):
        raise ApiError(
            400,
            "INVALID_PARAMETER_VALUE",
            f"Unknown served entities in the traffic: {sorted(set(routed) - set(names))}.",
        )
    if sum(route["traffic_percentage"] for route in routes) != _ALL_PERCENT:
        raise ApiError(400, "INVALID_PARAMETER_VALUE", "The traffic percentages must sum to 100.")


def _inference_table(gateway: Json) -> str | None:
    """The full name of the table that a gateway keeps requests in; None where it keeps none."""
    table = gateway.get("inference_table_config", {})
    if not table.get("enabled"):
        return None
    return f"{table['catalog_name']}.{table['schema_name']}.{table['table_name_prefix']}_payload"


def _state(endpoint: Json, update: str) -> Json:
    return {**endpoint["state"], "config_update": update}


def _principal(entry: Json) -> tuple[str, str]:
    kinds = ("group_name", "user_name", "service_principal_name")
    return next((kind, entry[kind]) for kind in kinds if kind in entry)


def _granted(entry: Json) -> Json:
    """A request's entry as the answer has it."""
    level = {"permission_level": entry["permission_level"], "inherited": False}
    return {key: value for key, value in entry.items() if key != "permission_level"} | {"all_permissions": [level]}


def _now() -> int:
    return round(time.time() * 1000)
