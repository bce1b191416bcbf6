"""Brings the endpoint to the champion: first a share of the traffic, then, once it answers as it should, the rest."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from databricks.sdk import WorkspaceClient
from databricks.sdk.service.serving import ServedEntityInput
from mlflow import MlflowClient
from pyspark.sql import SparkSession

from deployment.model_serving.endpoint import (
    Traffic,
    former_entity,
    make_ai_gateway,
    make_permissions,
    make_tags,
    make_traffic,
    traffic_of,
)
from deployment.model_serving.remote import RemoteEndpoint
from deployment.model_serving.smoke import check_answers, score_some
from project.config import Config, Serving
from project.registry import ROLLED_BACK_TAG, champion_version
from project.tables import Tables

_WHOLE = 100

# Asks a served version the smoke query; raises where it fails.
Check = Callable[[ServedEntityInput], None]


def deploy_endpoint(
    spark: SparkSession,
    tables: Tables,
    model_name: str,
    endpoint: str,
    as_of: datetime,
    tags: Mapping[str, str],
    managers: str,
    callers: str,
    config: Config,
    *,
    looks_up: bool,
) -> str:
    """Makes the champion what an endpoint serves. One that serves it already is asked the smoke query, and left alone.

    Args:
        spark: the session.
        tables: the table of what is asked about; the inference table goes beside it.
        model_name: full name of the registered model.
        endpoint: its name; it is made if it is not there.
        as_of: nothing later is asked about.
        tags: of the endpoint.
        managers: group that may manage it; empty for none.
        callers: group that may ask it; empty for none.
        config: section `serving`.
        looks_up: whether features are in an online store, so that callers may send keys alone.

    Returns:
        The version that it serves.

    Raises:
        LookupError: no version is champion.
        SmokeQueryError: the champion does not answer as batch scoring does; traffic is as it was before.
        databricks.sdk.errors.OperationFailed: the champion can't be served; traffic is as it was before.
        TimeoutError: an update did not end in time.
        InferenceTableError: an endpoint before it has left its inference table; the champion is served.
    """
    champion = champion_version(model_name)
    if champion is None:
        raise LookupError(f"{model_name} has no champion to serve")
    client = WorkspaceClient()
    remote = RemoteEndpoint(client, endpoint, timedelta(minutes=config.serving.update_timeout_minutes))

    def check(entity: ServedEntityInput) -> None:
        scored = score_some(spark, tables, model_name, entity.entity_version or "", as_of, config)
        check_answers(client, endpoint, entity.name or "", scored, config, looks_up=looks_up)

    found = remote.settled()
    if found is None:
        first = make_traffic(model_name, champion, None, _WHOLE, config.serving)
        # The inference table comes last: it would outlive an endpoint that fails, and be in the way of the next one.
        remote.create(first, make_tags(tags))
        _check_first(remote, first, check)
    else:
        _bring(remote, traffic_of(found.config), model_name, champion, check, config.serving)
    remote.complete(make_tags(tags), make_ai_gateway(tables, config.serving), make_permissions(managers, callers))
    return champion


def _check_first(remote: RemoteEndpoint, first: Traffic, check: Check) -> None:
    """An endpoint whose first version fails has nothing to go back to: it goes."""
    try:
        check(first.champion)
    except Exception:
        remote.delete()
        raise


def _bring(
    remote: RemoteEndpoint, before: Traffic, model_name: str, champion: str, check: Check, serving: Serving
) -> None:
    """Takes an endpoint from what it serves to the champion; back again, if the champion fails."""
    former = former_entity(before, champion)
    after = make_traffic(model_name, champion, former, _final_share(former, serving), serving)
    canary = before if before == after else make_traffic(model_name, champion, former, serving.canary_percent, serving)
    try:
        remote.serve(before, canary)
        check(canary.champion)
        remote.serve(canary, after)
    except Exception:
        remote.go_back(before)
        raise


def _final_share(former: ServedEntityInput | None, serving: Serving) -> int:
    """The champion's share in the end: a version that was rolled back keeps nothing."""
    if former is None or former.entity_name is None or former.entity_version is None:
        return _WHOLE
    tags = MlflowClient().get_model_version(former.entity_name, former.entity_version).tags
    return _WHOLE if ROLLED_BACK_TAG in tags else _WHOLE - serving.former_percent
