"""What a team changes in a deployment that lives: the registry's rows, in place of the repository's, for a while."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from deployment.model_serving import online
from feature_engineering import refresh
from feature_engineering.definitions import FeatureTable, Source
from feature_engineering.fill import Orders
from project.config import Config
from tests.deployments import Deployment
from training import lookups
from use_case.registry import FEATURE_TABLES
from use_case.sources import SOURCES

_DECADE = timedelta(days=3650)


def changed(name: str, **fields: Any) -> list[FeatureTable]:
    """The registry with one row changed."""
    return [replace(table, **fields) if table.name == name else table for table in FEATURE_TABLES]


@contextmanager
def registry(
    feature_tables: Sequence[FeatureTable] = FEATURE_TABLES, sources: Sequence[Source] = SOURCES
) -> Iterator[None]:
    """The code of the next release, as far as the registries say it."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (refresh, lookups, online):
            patch.setattr(module, "FEATURE_TABLES", tuple(feature_tables))
        patch.setattr(refresh, "SOURCES", tuple(sources))
        yield


def bring(
    deployment: Deployment,
    as_of: datetime,
    config: Config,
    rebuild: Sequence[str] = (),
    changed_formula: str = "refuse",
    piece: timedelta = _DECADE,
) -> None:
    """What the notebook of the feature job does."""
    orders = Orders(tuple(rebuild), changed_formula, piece)
    refresh.refresh(deployment.spark, deployment.tables, deployment.volume, as_of, orders, config)
