"""The aliases of the model registry, who has them, and what it means where a registry finds nothing."""

import re
from collections.abc import Callable

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.store.entities import PagedList

CHALLENGER, CHAMPION = "challenger", "champion"
# On a version that champion was taken from, with the reason.
ROLLED_BACK_TAG = "rolled_back"
_PAGE = 100
# Unity Catalog and MLflow's stores say so of a model and a version, each with one of these codes.
_NONE_THERE = {"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"}
# MLflow's own stores say so of an alias, with the code of a wrong argument: the code alone would take in a wrong name.
_NO_ALIAS = re.compile(r"registered model alias \S+ (not found|does not exist)", re.IGNORECASE)


def champion_version(model_name: str) -> str | None:
    """The version that has the alias `champion`; None where no version has it."""
    return version_of(model_name, CHAMPION)


def version_of(model_name: str, alias: str) -> str | None:
    """The version that has an alias; None where no version has it."""
    found = none_if_missing(lambda: MlflowClient().get_model_version_by_alias(model_name, alias))
    return None if found is None else str(found.version)


def versions_of(model_name: str) -> list[ModelVersion]:
    """All versions of a model, the oldest first; a registry gives them in pages."""
    found: list[ModelVersion] = []
    page: PagedList[ModelVersion] | None = None
    while page is None or page.token:
        token = page.token if page else None
        page = MlflowClient().search_model_versions(f"name = '{model_name}'", max_results=_PAGE, page_token=token)
        found += page
    return sorted(found, key=lambda version: int(version.version))


def tags_of(model_name: str, model_version: str) -> dict[str, str]:
    """The tags of a version; none where there is no such version."""
    # Asked for by itself: a search in Unity Catalog gives no tags.
    found = none_if_missing(lambda: MlflowClient().get_model_version(model_name, model_version))
    return {} if found is None else dict(found.tags)


def has_version(model_name: str, model_version: str) -> bool:
    """Whether a version is there, and was not deleted."""
    return none_if_missing(lambda: MlflowClient().get_model_version(model_name, model_version)) is not None


def none_if_missing[T](ask: Callable[[], T]) -> T | None:
    """What a registry answers; None where it says that there is no such model, version or alias.

    Raises:
        MlflowException: it says anything else, such as that this user may not ask: that is no word on what is there.
    """
    try:
        return ask()
    except MlflowException as error:
        if error.error_code in _NONE_THERE or _NO_ALIAS.search(str(error)):
            return None
        raise
