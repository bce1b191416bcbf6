"""One endpoint of Model Serving, through the SDK: every call waits for its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound, OperationFailed
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.serving import (
    AiGatewayConfig,
    AiGatewayInferenceTableConfig,
    EndpointCoreConfigInput,
    EndpointTag,
    ServingEndpointAccessControlRequest,
    ServingEndpointDetailed,
)

from deployment.model_serving.endpoint import Traffic, traffic_of


class InferenceTableError(RuntimeError):
    """An endpoint's inference table can't be made."""


@dataclass(frozen=True)
class RemoteEndpoint:
    """An endpoint that may not be there yet.

    Attributes:
        client: of the workspace.
        name: of the endpoint.
        timeout: how long an update may take.
    """

    client: WorkspaceClient
    name: str
    timeout: timedelta

    def settled(self) -> ServingEndpointDetailed | None:
        """The endpoint once no update goes on; None where there is none. An update that has failed is no obstacle."""
        endpoints = self.client.serving_endpoints
        try:
            endpoints.get(self.name)
        except NotFound:
            return None
        try:
            return endpoints.wait_get_serving_endpoint_not_updating(self.name, timeout=self.timeout)
        except OperationFailed:
            return endpoints.get(self.name)

    def create(self, traffic: Traffic, tags: list[EndpointTag]) -> None:
        """Makes the endpoint, without a gateway; one that does not come up is removed."""
        config = EndpointCoreConfigInput(
            name=self.name, served_entities=list(traffic.entities.values()), traffic_config=traffic.routes
        )
        created = self.client.serving_endpoints.create(self.name, config=config, tags=tags)
        try:
            created.result(timeout=self.timeout)
        except OperationFailed:
            self.delete()
            raise

    def serve(self, before: Traffic, after: Traffic) -> None:
        """Serves something else, unless that is what it serves."""
        if before != after:
            entities = list(after.entities.values())
            self.client.serving_endpoints.update_config_and_wait(
                self.name, served_entities=entities, traffic_config=after.routes, timeout=self.timeout
            )

    def go_back(self, before: Traffic) -> None:
        """Serves again what it served before, if it served anything; waits first for what still goes on."""
        found = self.settled()
        if found is not None and before.entities:
            self.serve(traffic_of(found.config), before)

    def delete(self) -> None:
        """Removes the endpoint."""
        self.client.serving_endpoints.delete(self.name)

    def complete(
        self,
        tags: Sequence[EndpointTag],
        ai_gateway: AiGatewayConfig,
        permissions: Sequence[ServingEndpointAccessControlRequest],
    ) -> None:
        """Sets the tags, the permissions and the gateway that it lacks; others that it has stay.

        Raises:
            InferenceTableError: the inference table is there already.
        """
        endpoints = self.client.serving_endpoints
        found = endpoints.get(self.name)
        present = {(tag.key, tag.value) for tag in found.tags or []}
        lacking = [tag for tag in tags if (tag.key, tag.value) not in present]
        if lacking:
            endpoints.patch(self.name, add_tags=lacking)
        if permissions and found.id:
            endpoints.update_permissions(found.id, access_control_list=list(permissions))
        wanted = ai_gateway.inference_table_config
        if wanted is not None and (found.ai_gateway is None or found.ai_gateway.inference_table_config != wanted):
            self._keep_requests(wanted)

    def _keep_requests(self, table: AiGatewayInferenceTableConfig) -> None:
        try:
            self.client.serving_endpoints.put_ai_gateway(self.name, inference_table_config=table)
        except DatabricksError as error:
            # The code that comes with it is documented nowhere.
            if "already exists" not in str(error):
                raise
            name = f"{table.catalog_name}.{table.schema_name}.{table.table_name_prefix}_payload"
            raise InferenceTableError(
                f"{self.name} answers, but its requests are not kept: the inference table {name} is there already, "
                f"left by an endpoint that was deleted; rename it to keep what it holds, or drop it, and run this again"
            ) from error
