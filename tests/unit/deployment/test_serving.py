"""The endpoint follows the champion: through the real SDK, against the local endpoints; batch scores are made up."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound, OperationFailed
from mlflow.entities.model_registry import ModelVersion

from deployment.model_serving import deploy, smoke
from deployment.model_serving.endpoint import make_traffic, traffic_of
from deployment.model_serving.remote import InferenceTableError
from deployment.model_serving.smoke import SmokeQueryError
from local_workspace.api import Context, serving_endpoints
from local_workspace.workspace import Workspace
from project.config import Config, load_config
from project.registry import ROLLED_BACK_TAG
from project.tables import Tables
from tests.unit.served import MODEL, Models, drop_inference_tables, remove_endpoints, serving

pytestmark = pytest.mark.homes("local", reason="about the API of endpoints, where Spark has no part")

ENDPOINT = "returns"
AS_OF = datetime(2024, 8, 1, tzinfo=UTC)
TABLES = Tables("spark_catalog", "shop")
ORDERS = pd.DataFrame({"price": [100.0, 200.0], "customer_id": ["C1", None], "credit": [3.0, None]})


@dataclass
class Scene:
    """A model with versions, its champion, and an endpoint that may be there."""

    client: WorkspaceClient
    models: Models
    champion: str | None = "1"
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    config: Config = field(default_factory=load_config)
    at_smoke: list[dict[str, int]] = field(default_factory=list)

    def deploy(self, champion: str, *, looks_up: bool = False, callers: str = "readers") -> str:
        """A run of the task after a version has become champion."""
        self.champion = champion
        tags = {"project": "shop", "target": "dev"}
        return deploy.deploy_endpoint(
            None, TABLES, MODEL, ENDPOINT, AS_OF, tags, "engineers", callers, self.config, looks_up=looks_up
        )

    @property
    def endpoint(self) -> Any:
        return self.client.serving_endpoints.get(ENDPOINT)

    @property
    def traffic(self) -> dict[str, int]:
        """Shares by version."""
        found = traffic_of(self.endpoint.config)
        return {entity.entity_version: found.percent[name] for name, entity in found.entities.items()}

    def set(self, **serving: Any) -> None:
        """Changes the configuration."""
        changed = self.config.serving.model_copy(update=serving)
        self.config = self.config.model_copy(update={"serving": changed})

    def batch_scores(self, version: str) -> pd.DataFrame:
        """What batch scoring says; the traffic at this moment is noted."""
        self.at_smoke.append(self.traffic)
        return ORDERS.assign(prediction=float(version) * ORDERS["price"] + ORDERS["credit"].fillna(0))


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory, workspace: Workspace) -> Context:
    return Context(Workspace(tmp_path_factory.mktemp("serving")), lambda: pytest.fail("no call here needs Spark"))


@pytest.fixture(scope="module")
def service(context: Context) -> Iterator[tuple[WorkspaceClient, Models]]:
    with serving(context) as service:
        yield service


@pytest.fixture
def scene(
    service: tuple[WorkspaceClient, Models], context: Context, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Scene]:
    client, models = service
    models.reset()
    scene = Scene(client, models)
    monkeypatch.setattr(deploy, "champion_version", lambda _: scene.champion)
    monkeypatch.setattr(deploy, "score_some", lambda *arguments: scene.batch_scores(arguments[3]))
    monkeypatch.setattr(deploy.MlflowClient, "get_model_version", lambda _, name, version: registered(scene, version))
    yield scene
    remove_endpoints(client, context)


def registered(scene: Scene, version: str) -> ModelVersion:
    found = ModelVersion(MODEL, version, 0)
    found._tags = scene.tags.get(version, {})
    return found


def test_the_first_champion_makes_the_endpoint(scene: Scene) -> None:
    assert scene.deploy("1") == "1"
    found = scene.endpoint
    assert scene.traffic == {"1": 100}
    (entity,) = found.config.served_entities
    assert (entity.entity_name, entity.workload_size, entity.scale_to_zero_enabled) == (MODEL, "Small", True)
    assert {tag.key: tag.value for tag in found.tags} == {"project": "shop", "target": "dev"}
    table = found.ai_gateway.inference_table_config
    assert (table.enabled, table.catalog_name, table.schema_name) == (True, "spark_catalog", "shop")
    granted = scene.client.serving_endpoints.get_permissions(found.id).access_control_list
    assert {entry.group_name: entry.all_permissions[0].permission_level.value for entry in granted} == {
        "engineers": "CAN_MANAGE",
        "readers": "CAN_QUERY",
    }


def test_a_second_run_asks_and_changes_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.deploy("1")
    scene.deploy("2")
    before, permissions = scene.endpoint, scene.client.serving_endpoints.get_permissions(scene.endpoint.id)
    scene.at_smoke.clear()
    scene.deploy("2")
    assert scene.endpoint == before
    assert scene.client.serving_endpoints.get_permissions(before.id) == permissions
    assert scene.at_smoke == [{"2": 100}]


def test_a_new_champion_has_the_canarys_share_while_it_is_asked_and_all_of_it_then(scene: Scene) -> None:
    scene.set(canary_percent=20)
    scene.deploy("1")
    scene.deploy("2")
    assert scene.at_smoke == [{"1": 100}, {"1": 80, "2": 20}]
    assert scene.traffic == {"2": 100}


def test_the_version_before_keeps_the_share_that_the_configuration_leaves_it(scene: Scene) -> None:
    scene.set(former_percent=30)
    scene.deploy("1")
    scene.deploy("2")
    assert scene.traffic == {"1": 30, "2": 70}
    scene.deploy("2")
    assert scene.traffic == {"1": 30, "2": 70}
    scene.deploy("3")
    assert scene.traffic == {"2": 30, "3": 70}


def test_a_version_that_was_rolled_back_keeps_no_traffic(scene: Scene) -> None:
    scene.set(former_percent=30)
    scene.deploy("1")
    scene.deploy("2")
    scene.tags["2"] = {ROLLED_BACK_TAG: "too high"}
    scene.deploy("1")
    assert scene.traffic == {"1": 100}


def test_a_champion_that_answers_otherwise_than_batch_scoring_gets_no_traffic(scene: Scene) -> None:
    scene.deploy("1")
    scene.models.wrong = {"2"}
    with pytest.raises(
        SmokeQueryError, match=r"version-2 answers differently from batch scoring in 2 rows: row 0: 303"
    ):
        scene.deploy("2")
    assert scene.traffic == {"1": 100}
    scene.models.wrong = set()
    scene.deploy("2")
    assert scene.traffic == {"2": 100}


@pytest.mark.parametrize(("off", "passes"), [(9e-10, True), (-9e-10, True), (2e-9, False), (float("nan"), False)])
def test_the_tolerance_is_the_configurations(scene: Scene, off: float, passes: bool) -> None:
    scene.deploy("1")
    scores = scene.batch_scores

    def moved(version: str) -> pd.DataFrame:
        found = scores(version)
        return found.assign(prediction=found["prediction"] + off)

    scene.batch_scores = moved
    if passes:
        scene.deploy("1")
    else:
        with pytest.raises(SmokeQueryError):
            scene.deploy("1")
    assert scene.traffic == {"1": 100}


def test_a_first_champion_that_fails_leaves_no_endpoint(scene: Scene) -> None:
    scene.models.wrong = {"1"}
    with pytest.raises(SmokeQueryError):
        scene.deploy("1")
    with pytest.raises(NotFound):
        _ = scene.endpoint
    scene.models.broken = {"2"}
    with pytest.raises(OperationFailed):
        scene.deploy("2")
    with pytest.raises(NotFound):
        _ = scene.endpoint


def test_after_a_first_champion_that_failed_the_next_one_is_served_and_its_requests_are_kept(scene: Scene) -> None:
    scene.models.wrong = {"1"}
    with pytest.raises(SmokeQueryError):
        scene.deploy("1")
    scene.deploy("2")
    assert scene.traffic == {"2": 100}
    assert scene.endpoint.ai_gateway.inference_table_config.enabled


def test_an_inference_table_that_a_deleted_endpoint_has_left_is_named_and_the_champion_served(
    scene: Scene, context: Context
) -> None:
    scene.deploy("1")
    scene.client.serving_endpoints.delete(ENDPOINT)
    for _ in range(2):
        with pytest.raises(
            InferenceTableError, match=r"spark_catalog\.shop\.serving_payload is there already, .*rename"
        ):
            scene.deploy("2")
        assert scene.traffic == {"2": 100}
        assert len(scene.client.serving_endpoints.get_permissions(scene.endpoint.id).access_control_list) == 2
    drop_inference_tables(context)
    scene.deploy("2")
    assert scene.endpoint.ai_gateway.inference_table_config.enabled


def test_a_champion_that_cant_be_loaded_leaves_the_traffic_as_it_was(scene: Scene) -> None:
    scene.deploy("1")
    scene.models.broken = {"2"}
    with pytest.raises(OperationFailed):
        scene.deploy("2")
    assert scene.traffic == {"1": 100}
    scene.deploy("1")
    scene.models.broken = set()
    scene.deploy("2")
    assert scene.traffic == {"2": 100}, "an update that failed is no obstacle to the next"


def test_it_waits_for_an_update_that_goes_on(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.deploy("1")
    scene.models.may_load.clear()
    monkeypatch.setattr(serving_endpoints, "PATIENCE_SECONDS", 0)
    other_version = make_traffic(MODEL, "5", None, 100, scene.config.serving)
    other = scene.client.serving_endpoints.update_config(
        ENDPOINT, served_entities=list(other_version.entities.values()), traffic_config=other_version.routes
    )
    assert other.response.state.config_update.value == "IN_PROGRESS"
    sleeps: list[float] = []

    def sleep(seconds: float) -> None:
        sleeps.append(seconds)
        scene.models.may_load.set()

    monkeypatch.setattr("time.sleep", sleep)
    scene.deploy("2")
    assert sleeps, "it came while the other update went on"
    assert scene.at_smoke[-1] == {"5": 90, "2": 10}
    assert scene.traffic == {"2": 100}


def test_a_run_that_was_cut_off_at_the_canary_is_finished_by_the_next(scene: Scene) -> None:
    scene.deploy("1")

    def crash(version: str) -> pd.DataFrame:
        raise KeyboardInterrupt

    scores, scene.batch_scores = scene.batch_scores, crash
    with pytest.raises(KeyboardInterrupt):
        scene.deploy("2")
    assert scene.traffic == {"1": 90, "2": 10}
    scene.batch_scores = scores
    scene.deploy("2")
    assert scene.traffic == {"2": 100}


def test_with_an_online_store_it_is_asked_with_keys_alone_too(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    ask: Callable[..., Any] = smoke._ask

    def note(client: WorkspaceClient, endpoint: str, served: str, rows: pd.DataFrame) -> Any:
        asked.append(list(rows.columns))
        return ask(client, endpoint, served, rows)

    monkeypatch.setattr(smoke, "_ask", note)
    columns = scene.config.request_features.model_copy(update={"numeric": ("price",), "categorical": ()})
    scene.config = scene.config.model_copy(update={"request_features": columns})
    scene.deploy("1")
    assert asked == [["price", "customer_id", "credit"]]
    # Nothing is published here, so that question is refused.
    with pytest.raises(Exception, match="lacks the columns"):
        scene.deploy("1", looks_up=True)
    assert asked[-1] == ["customer_id", "price"]


def test_without_champion_or_orders_it_says_so(scene: Scene) -> None:
    with pytest.raises(LookupError, match="has no champion"):
        scene.deploy(None)  # type: ignore[arg-type]
    scene.batch_scores = lambda _: ORDERS.iloc[:0].assign(prediction=0.0)
    with pytest.raises(SmokeQueryError, match="no orders"):
        scene.deploy("1")
