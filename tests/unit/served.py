"""Models to serve, made without Spark and without MLflow's store, and requests that they answer."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pytest
from databricks.sdk import WorkspaceClient

from local_workspace.api import Context, serve_api, serving_endpoints
from local_workspace.serving import endpoints

MODEL = "spark_catalog.shop.returned"
CREDIT = "spark_catalog.shop.credit"


@dataclass
class Models:
    """The versions of `MODEL`: version n predicts n times the price, and the credit on top where it knows them."""

    loaded: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    wrong: set[str] = field(default_factory=set)
    may_load: threading.Event = field(default_factory=threading.Event)

    def reset(self) -> None:
        """As it was before any test."""
        self.loaded, self.broken, self.wrong = [], set(), set()
        self.may_load.set()

    def load(self, name: str, version: str) -> Any:
        from databricks.feature_engineering.point_in_time import JoinKeys  # noqa: PLC0415 (the workspace sets its path)
        from databricks.feature_engineering.spec import FeatureSpec, LookedUpColumn, SourceColumn  # noqa: PLC0415

        from local_workspace.serving.served_model import ServedModel  # noqa: PLC0415 (imports the same)

        self.may_load.wait(10)
        self.loaded.append(version)
        if version in self.broken:
            raise OSError(f"no file of version {version}")
        credit = LookedUpColumn("credit", CREDIT, "credit", JoinKeys(keys=(("customer_id", "customer_id"),)))
        spec = FeatureSpec((SourceColumn("price"), SourceColumn("customer_id", include=False)), (credit,))
        kinds = {"price": "double", "customer_id": "string", "credit": "double"}
        factor = float(version) + (version in self.wrong)
        return ServedModel(spec, kinds, Formula(factor))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Formula:
    factor: float

    def predict(self, frame: pd.DataFrame) -> pd.Series:
        return self.factor * frame["price"] + frame["credit"].fillna(0)


@contextmanager
def serving(context: Context) -> Iterator[tuple[WorkspaceClient, Models]]:
    """A service whose endpoints serve these models."""
    models = Models()
    models.may_load.set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(endpoints, "load_version", models.load)
        with serve_api(context):
            yield WorkspaceClient(), models


def remove_endpoints(client: WorkspaceClient, context: Context) -> None:
    """Leaves the service as it was, for the next test."""
    for name in list(context.documents(serving_endpoints.KIND).names()):
        client.serving_endpoints.delete(name)
    drop_inference_tables(context)


def drop_inference_tables(context: Context) -> None:
    """What a person does with the tables that deleted endpoints have left."""
    tables = context.documents(serving_endpoints.INFERENCE_TABLES)
    for name in list(tables.names()):
        tables.delete(name)


def config(*versions: str, percent: list[int] | None = None) -> dict[str, Any]:
    """An endpoint's configuration with these versions, of which the last has all the traffic if nothing is said."""
    shares = percent or [0] * (len(versions) - 1) + [100]
    entities = [{"name": f"version-{v}", "entity_name": MODEL, "entity_version": v} for v in versions]
    routes = [
        {"served_entity_name": f"version-{v}", "traffic_percentage": share}
        for v, share in zip(versions, shares, strict=True)
    ]
    return {"served_entities": entities, "traffic_config": {"routes": routes}}
