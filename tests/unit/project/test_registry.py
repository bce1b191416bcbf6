"""Who is champion, in a real registry."""

import mlflow
import pytest
from mlflow import MlflowClient

from project import registry
from project.registry import CHALLENGER, CHAMPION, champion_version, versions_of

MODEL = "spark_catalog.registry_test.arrival_delay"


@pytest.fixture
def client(workspace):
    return MlflowClient()


def test_a_model_that_is_not_there_has_no_champion(client):
    assert champion_version("spark_catalog.registry_test.nothing") is None


def test_the_champion_is_the_version_that_has_the_alias(client, tmp_path):
    """One test: each version follows from the one before."""
    client.create_registered_model(MODEL)
    assert champion_version(MODEL) is None, "it has no version"
    first, second = (client.create_model_version(MODEL, tmp_path.as_uri()).version for _ in range(2))
    client.set_registered_model_alias(MODEL, CHALLENGER, second)
    assert champion_version(MODEL) is None, "a challenger is none"
    client.set_registered_model_alias(MODEL, CHAMPION, first)
    assert champion_version(MODEL) == str(first)
    client.set_registered_model_alias(MODEL, CHAMPION, second)
    assert champion_version(MODEL) == str(second)
    client.delete_model_version(MODEL, second)
    assert champion_version(MODEL) is None, "a deleted version is none, and no former one takes its place"


def test_all_versions_are_read_however_many_pages_they_take(client, monkeypatch, tmp_path):
    model = f"{MODEL}_in_pages"
    client.create_registered_model(model)
    assert versions_of(model) == []
    made = [str(client.create_model_version(model, tmp_path.as_uri()).version) for _ in range(5)]
    for page in (2, 5, 100):
        monkeypatch.setattr(registry, "_PAGE", page)
        assert [str(version.version) for version in versions_of(model)] == made


def test_a_registry_that_does_not_answer_is_no_registry_without_a_champion(client, monkeypatch, tmp_path):
    """Or else the next challenger would be promoted without a comparison."""
    (tmp_path / "broken.db").write_text("no database")
    before = mlflow.get_registry_uri()
    mlflow.set_registry_uri(f"sqlite:///{tmp_path / 'broken.db'}")
    try:
        with pytest.raises(Exception, match="not a database"):
            champion_version(MODEL)
    finally:
        mlflow.set_registry_uri(before)
