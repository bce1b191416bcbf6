"""The local endpoints: their API as the real SDK speaks it, the traffic, the scoring contract, the online store."""

import asyncio
import json
import os
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, NotFound, OperationFailed, ResourceAlreadyExists, ResourceConflict
from databricks.sdk.service.serving import (
    AiGatewayConfig,
    AiGatewayInferenceTableConfig,
    EndpointCoreConfigInput,
    EndpointStateConfigUpdate,
    EndpointTag,
    ServingEndpointAccessControlRequest,
    ServingEndpointPermissionLevel,
)

from local_workspace.api import Context, serving_endpoints
from local_workspace.api.documents import Documents
from local_workspace.api.errors import ApiError
from local_workspace.serving import champion
from local_workspace.serving.endpoints import Entity, Versions, choose, entities_of
from local_workspace.workspace import Workspace
from tests.unit.served import CREDIT, MODEL, Models, config, remove_endpoints, serving

ORDER = {"price": 100.0, "customer_id": "C1", "credit": 3.0}


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory, workspace: Workspace) -> Context:
    """A folder of this module's own; `workspace` sets the import path."""
    return Context(Workspace(tmp_path_factory.mktemp("serving")), lambda: pytest.fail("no call here needs Spark"))


@pytest.fixture(scope="module")
def service(context: Context) -> Iterator[tuple[WorkspaceClient, Models]]:
    with serving(context) as service:
        yield service


@pytest.fixture
def models(service: tuple[WorkspaceClient, Models]) -> Models:
    service[1].reset()
    return service[1]


@pytest.fixture
def client(service: tuple[WorkspaceClient, Models], models: Models, context: Context) -> Iterator[WorkspaceClient]:
    yield service[0]
    remove_endpoints(service[0], context)


def create(client: WorkspaceClient, **wanted: Any) -> Any:
    return client.serving_endpoints.create_and_wait(
        "returns", config=EndpointCoreConfigInput.from_dict({"name": "returns", **config("1", **wanted)})
    )


def update(client: WorkspaceClient, *versions: str, percent: list[int] | None = None) -> Any:
    wanted = EndpointCoreConfigInput.from_dict({"name": "returns", **config(*versions, percent=percent)})
    return client.serving_endpoints.update_config_and_wait(
        "returns", served_entities=wanted.served_entities, traffic_config=wanted.traffic_config
    )


def post(path: str, body: Any) -> tuple[int, dict[str, Any], str | None]:
    """Status, answer, and the version that gave it."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {os.environ['DATABRICKS_TOKEN']}"}
    request = urllib.request.Request(f"{os.environ['DATABRICKS_HOST']}{path}", data, headers)  # noqa: S310 (our own)
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return answer.status, json.load(answer), answer.headers["served-model-name"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error), None


def score(*rows: dict[str, Any], path: str = "/serving-endpoints/returns/invocations") -> Any:
    return post(path, {"dataframe_records": list(rows)})


def test_an_endpoint_is_made_updated_and_removed(client: WorkspaceClient) -> None:
    made = create(client)
    assert (made.state.ready.value, made.state.config_update.value) == ("READY", "NOT_UPDATING")
    with pytest.raises(ResourceAlreadyExists, match="already exists"):
        create(client)
    changed = update(client, "1", "2", percent=[90, 10])
    assert changed.id == made.id
    assert [entity.entity_version for entity in changed.config.served_entities] == ["1", "2"]
    assert changed.config.config_version == made.config.config_version + 1
    client.serving_endpoints.delete("returns")
    with pytest.raises(NotFound):
        client.serving_endpoints.get("returns")


def test_endpoints_outlive_the_service(client: WorkspaceClient, context: Context) -> None:
    create(client)
    with serving(context):
        assert score(ORDER)[:2] == (200, {"predictions": [103.0]})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"served_entities": []}, "served_entities is required"),
        ({"traffic_config": {"routes": [{"served_entity_name": "other", "traffic_percentage": 100}]}}, "other"),
        ({"traffic_config": {"routes": [{"served_entity_name": "version-1", "traffic_percentage": 90}]}}, "sum to 100"),
    ],
)
def test_a_configuration_that_a_workspace_refuses_is_refused(client, change, message) -> None:
    wanted = EndpointCoreConfigInput.from_dict({"name": "returns", **config("1"), **change})
    with pytest.raises(BadRequest, match=message):
        client.serving_endpoints.create("returns", config=wanted)


def test_a_version_that_cant_be_loaded_fails_the_update_and_the_one_before_stays(client, models) -> None:
    create(client)
    models.broken = {"2"}
    with pytest.raises(OperationFailed):
        update(client, "2")
    found = client.serving_endpoints.get("returns")
    assert found.state.config_update is EndpointStateConfigUpdate.UPDATE_FAILED
    assert [entity.entity_version for entity in found.config.served_entities] == ["1"]
    assert score(ORDER)[1] == {"predictions": [103.0]}
    assert update(client, "3").state.config_update is EndpointStateConfigUpdate.NOT_UPDATING


def test_while_an_update_goes_on_another_is_refused_and_what_was_served_is_served(
    client: WorkspaceClient, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(client)
    models.may_load.clear()
    monkeypatch.setattr(serving_endpoints, "PATIENCE_SECONDS", 0)
    wanted = EndpointCoreConfigInput.from_dict({"name": "returns", **config("2")})
    started = client.serving_endpoints.update_config(
        "returns", served_entities=wanted.served_entities, traffic_config=wanted.traffic_config
    )
    assert started.response.state.config_update is EndpointStateConfigUpdate.IN_PROGRESS
    assert [entity.entity_version for entity in started.response.pending_config.served_entities] == ["2"]
    with pytest.raises(ResourceConflict):
        update(client, "3")
    assert score(ORDER)[1] == {"predictions": [103.0]}
    # The SDK's waiter sleeps after it has seen that the update goes on.
    monkeypatch.setattr("time.sleep", lambda _: models.may_load.set())
    started.result()
    assert score(ORDER)[1] == {"predictions": [203.0]}


def test_tags_gateway_and_permissions_are_kept(client: WorkspaceClient) -> None:
    endpoint = create(client)
    api = client.serving_endpoints
    api.patch("returns", add_tags=[EndpointTag("a", "1"), EndpointTag("b", "2")])
    api.patch("returns", add_tags=[EndpointTag("a", "3")], delete_tags=["b"])
    assert api.get("returns").tags == [EndpointTag("a", "3")]
    levels = ServingEndpointPermissionLevel.CAN_QUERY, ServingEndpointPermissionLevel.CAN_VIEW
    for level in levels:
        request = ServingEndpointAccessControlRequest(group_name="readers", permission_level=level)
        api.update_permissions(endpoint.id, access_control_list=[request])
    (entry,) = api.get_permissions(endpoint.id).access_control_list
    assert (entry.group_name, entry.all_permissions[0].permission_level) == ("readers", levels[-1])


def test_an_inference_table_outlives_its_endpoint_and_is_in_the_way_of_the_next(client: WorkspaceClient) -> None:
    api = client.serving_endpoints
    table, other = (AiGatewayInferenceTableConfig("main", True, "shop", prefix) for prefix in ("asked", "other"))
    wanted = EndpointCoreConfigInput.from_dict({"name": "returns", **config("1")})
    api.create_and_wait("returns", config=wanted, ai_gateway=AiGatewayConfig(inference_table_config=table))
    api.put_ai_gateway("returns", inference_table_config=table)  # its own
    api.delete("returns")
    with pytest.raises(BadRequest, match=r"main\.shop\.asked_payload already exists"):
        api.create("returns", config=wanted, ai_gateway=AiGatewayConfig(inference_table_config=table))
    create(client)
    with pytest.raises(BadRequest, match=r"main\.shop\.asked_payload already exists"):
        api.put_ai_gateway("returns", inference_table_config=table)
    api.put_ai_gateway("returns", inference_table_config=other)
    assert api.get("returns").ai_gateway.inference_table_config == other


def test_the_sdks_query_and_both_formats_get_the_same_answer(client: WorkspaceClient) -> None:
    create(client)
    split = {"dataframe_split": {"columns": list(ORDER), "data": [list(ORDER.values())] * 2}}
    assert client.serving_endpoints.query("returns", dataframe_records=[ORDER]).predictions == [103.0]
    assert post("/serving-endpoints/returns/invocations", split) == (200, {"predictions": [103.0, 103.0]}, "version-1")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "not valid JSON"),
        ({"instances": [[1]]}, "dataframe_split"),
        ({"dataframe_records": [{"customer_id": "C1", "credit": 1}]}, "price"),
        ({"dataframe_records": [ORDER | {"price": "far"}]}, "'price' must be a number"),
        ({"dataframe_records": [{"price": 1.0, "customer_id": "C1"}]}, "credit"),
    ],
)
def test_a_bad_request_is_told_what_is_wrong(client: WorkspaceClient, body, message) -> None:
    create(client)
    status, answer, _ = post("/serving-endpoints/returns/invocations", body)
    assert (status, answer["error_code"]) == (400, "BAD_REQUEST")
    assert message in answer["message"]
    assert "Traceback" not in str(answer)


def test_a_model_that_fails_is_told_without_a_traceback(client: WorkspaceClient) -> None:
    create(client)
    status, answer, _ = score(ORDER | {"price": 10**400})
    assert (status, answer) == (500, {"error_code": "INTERNAL_ERROR", "message": "OverflowError"})
    assert score(ORDER)[0] == 200


def test_versions_that_nobody_serves_any_more_are_let_go(client: WorkspaceClient, models: Models) -> None:
    create(client)
    update(client, "2")
    update(client, "1")
    assert models.loaded == ["1", "2", "1"]


@pytest.mark.parametrize("path", ["/serving-endpoints/other/invocations", "/serving-endpoints/returns/none"])
def test_what_is_not_there_is_404(client: WorkspaceClient, path) -> None:
    create(client)
    assert score(ORDER, path=path)[0] == 404


def test_traffic_is_split_and_each_version_can_be_asked_itself(client: WorkspaceClient) -> None:
    create(client)
    update(client, "1", "2", percent=[0, 100])
    assert score(ORDER) == (200, {"predictions": [203.0]}, "version-2")
    assert score(ORDER, path="/serving-endpoints/returns/served-models/version-1/invocations")[1:] == (
        {"predictions": [103.0]},
        "version-1",
    )
    assert score(ORDER, path="/serving-endpoints/returns/served-models/version-9/invocations")[0] == 404


def test_each_version_answers_as_often_as_its_share_says() -> None:
    entities = entities_of(config("1", "2", "3", percent=[90, 10, 0]))
    counts = Counter(choose(entities).version for _ in range(5000))
    assert set(counts) == {"1", "2"}
    assert 350 < counts["2"] < 650, "500 are expected, with a standard deviation of 21"


def publish(workspace: Workspace, folder: Path, rows: list[tuple[str, str, float]]) -> None:
    """Credit by customer and time, in two files, as a publication leaves them."""
    frame = pd.DataFrame(rows, columns=["customer_id", "known_at", "credit"])
    frame["known_at"] = pd.to_datetime(frame["known_at"])
    files = []
    for number, part in enumerate((frame.iloc[::2], frame.iloc[1::2])):
        file = folder / f"a {len(rows)}-{number}.parquet"
        part.to_parquet(file)
        files.append(file.as_uri())
    document = {
        "source_table_name": CREDIT,
        "lookup_keys": ["customer_id"],
        "timestamp_keys": ["known_at"],
        "files": files,
    }
    Documents(workspace.online_store / "tables").put(f"{CREDIT}_online", document)


def test_features_are_looked_up_where_the_caller_sends_keys(
    client: WorkspaceClient, context: Context, tmp_path: Path
) -> None:
    create(client)
    keys = [{"price": 100.0, "customer_id": customer_id} for customer_id in ("C1", "C2", "unknown", None)]
    rows = [("C1", "2024-01-02", 5.0), ("C1", "2024-01-01", 4.0), ("C2", "2024-01-01", None)]
    publish(context.workspace, tmp_path, rows)
    assert score(*keys)[1] == {"predictions": [105.0, 100.0, 100.0, 100.0]}
    assert score(ORDER)[1] == {"predictions": [103.0]}, "what the caller sends wins"
    publish(context.workspace, tmp_path, [*rows, ("C1", "2024-01-03", 6.0)])
    assert score(*keys)[1] == {"predictions": [106.0, 100.0, 100.0, 100.0]}, "it follows the publication"
    status, answer, _ = score({"price": 1.0})
    assert (status, "customer_id" in answer["message"]) == (400, True)
    Documents(context.workspace.online_store / "tables").delete(f"{CREDIT}_online")


def test_without_an_endpoint_the_champion_answers_and_without_a_champion_nobody(
    tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed, version = Documents(tmp_path), list[str]()
    monkeypatch.setattr(champion, "champion_version", lambda _: version[-1] if version else None)
    monkeypatch.setattr(champion, "_SECONDS", 0)

    async def look() -> None:
        served = champion.ServedHere("returns", MODEL, deployed, Versions())
        with pytest.raises(ApiError, match="has no champion yet") as none:
            await served.entities("returns")
        assert none.value.status == 503
        version.append("1")
        assert await served.entities("returns") == [Entity("version-1", MODEL, "1")]
        version.append("2")
        assert await served.entities("returns") == [Entity("version-2", MODEL, "2")]
        deployed.put("returns", {"config": config("1", "2", percent=[90, 10])})
        assert [(one.version, one.percent) for one in await served.entities("returns")] == [("1", 90), ("2", 10)]
        with pytest.raises(ApiError) as other:
            await served.entities("other")
        assert other.value.status == 404

    asyncio.run(look())
