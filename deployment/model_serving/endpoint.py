"""What an endpoint shall be, as the SDK says it; pure functions of the configuration and the versions."""

from collections.abc import Mapping
from dataclasses import dataclass

from databricks.sdk.service.serving import (
    AiGatewayConfig,
    AiGatewayInferenceTableConfig,
    EndpointCoreConfigOutput,
    EndpointTag,
    Route,
    ServedEntityInput,
    ServedEntityOutput,
    ServingEndpointAccessControlRequest,
    ServingEndpointPermissionLevel,
    TrafficConfig,
)

from project.config import Serving
from project.tables import Tables

_WHOLE = 100


@dataclass(frozen=True)
class Traffic:
    """What is served, and each one's share.

    Attributes:
        entities: the served versions by their names.
        percent: of the traffic, by the same names; all together are 100.
    """

    entities: Mapping[str, ServedEntityInput]
    percent: Mapping[str, int]

    @property
    def champion(self) -> ServedEntityInput:
        """What `make_traffic` was asked for: it comes last."""
        return list(self.entities.values())[-1]

    @property
    def routes(self) -> TrafficConfig:
        """The shares as the SDK says them."""
        routes = [Route(percent, served_entity_name=name) for name, percent in self.percent.items()]
        return TrafficConfig(routes=routes)


def entity_name(version: str) -> str:
    """What a version is called in an endpoint."""
    return f"version-{version}"


def make_traffic(
    model_name: str, champion: str, former: ServedEntityInput | None, share: int, serving: Serving
) -> Traffic:
    """The champion with a share of the traffic, and what was served before it with the rest.

    Args:
        model_name: full name of the registered model.
        champion: the version.
        former: what has the rest; None leaves all to the champion.
        share: the champion's, in percent.
        serving: size and scaling of the champion.
    """
    name = entity_name(champion)
    entity = ServedEntityInput(
        name=name,
        entity_name=model_name,
        entity_version=champion,
        workload_size=serving.workload_size,
        scale_to_zero_enabled=serving.scale_to_zero,
    )
    if former is None or former.name is None or share == _WHOLE:
        return Traffic({name: entity}, {name: _WHOLE})
    return Traffic({former.name: former, name: entity}, {former.name: _WHOLE - share, name: share})


def traffic_of(config: EndpointCoreConfigOutput | None) -> Traffic:
    """What an endpoint serves now; nothing, where it has no configuration yet."""
    outputs = (config.served_entities if config else None) or []
    routes = (config.traffic_config.routes if config and config.traffic_config else None) or []
    percent = {route.served_entity_name or route.served_model_name or "": route.traffic_percentage for route in routes}
    return Traffic({output.name or "": _as_input(output) for output in outputs}, percent)


def former_entity(traffic: Traffic, champion: str) -> ServedEntityInput | None:
    """What has most of the traffic beside the champion; None where nothing has."""
    others = [name for name in traffic.entities if name != entity_name(champion)]
    return traffic.entities[max(others, key=lambda name: traffic.percent.get(name, 0))] if others else None


def make_ai_gateway(tables: Tables, serving: Serving) -> AiGatewayConfig:
    """Keeps requests and answers in a table of the schema, `serving_payload`, if the configuration asks for it."""
    if not serving.inference_table:
        return AiGatewayConfig(inference_table_config=AiGatewayInferenceTableConfig(enabled=False))
    return AiGatewayConfig(
        inference_table_config=AiGatewayInferenceTableConfig(
            catalog_name=tables.catalog, schema_name=tables.schema, table_name_prefix="serving", enabled=True
        )
    )


def make_tags(tags: Mapping[str, str]) -> list[EndpointTag]:
    """Tags of the endpoint, which billing shows too."""
    return [EndpointTag(key, value) for key, value in tags.items()]


def make_permissions(managers: str, callers: str) -> list[ServingEndpointAccessControlRequest]:
    """Who may do what, by group: manage it, or ask it; an empty name is nobody."""
    levels = {
        managers: ServingEndpointPermissionLevel.CAN_MANAGE,
        callers: ServingEndpointPermissionLevel.CAN_QUERY,
    }
    return [
        ServingEndpointAccessControlRequest(group_name=group, permission_level=level)
        for group, level in levels.items()
        if group
    ]


def _as_input(output: ServedEntityOutput) -> ServedEntityInput:
    """What has to be said to serve the same again."""
    return ServedEntityInput(
        name=output.name,
        entity_name=output.entity_name,
        entity_version=output.entity_version,
        workload_size=output.workload_size,
        scale_to_zero_enabled=output.scale_to_zero_enabled,
    )
