"""The aliases of the model registry, and who has them."""

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.store.entities import PagedList

CHALLENGER, CHAMPION = "challenger", "champion"
# On a version that champion was taken from, with the reason.
ROLLED_BACK_TAG = "rolled_back"
_PAGE = 100
_NONE_THERE = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}


def champion_version(model_name: str) -> str | None:
    """The version that has the alias `champion`; None where no version has it."""
    return version_of(model_name, CHAMPION)


def version_of(model_name: str, alias: str) -> str | None:
    """The version that has an alias; None where no version has it."""
    try:
        return str(MlflowClient().get_model_version_by_alias(model_name, alias).version)
    except MlflowException as error:
        if error.error_code in _NONE_THERE:
            return None
        raise


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
    try:
        # Asked for by itself: a search in Unity Catalog gives no tags.
        return dict(MlflowClient().get_model_version(model_name, model_version).tags)
    except MlflowException as error:
        if error.error_code in _NONE_THERE:
            return {}
        raise
