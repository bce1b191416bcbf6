"""What can be passed to our client can be passed to the real one: a notebook that runs here is not refused there."""

import inspect
from collections.abc import Callable
from types import ModuleType

import pytest

METHODS = (
    "create_table",
    "write_table",
    "read_table",
    "get_table",
    "drop_table",
    "create_online_store",
    "get_online_store",
    "publish_table",
    "create_training_set",
    "log_model",
    "score_batch",
)

# Names that the real client takes without naming them.
FORMER_NAMES = {"timeseries_columns"}


def test_every_public_word_is_compared(local: ModuleType) -> None:
    client = local.FeatureEngineeringClient
    assert {name for name in vars(client) if not name.startswith("_")} == set(METHODS)


@pytest.mark.parametrize("method", ("__init__", *METHODS))
def test_arguments_of_the_client_are_the_real_ones(method: str, local: ModuleType, real: ModuleType) -> None:
    compare(*(getattr(package.FeatureEngineeringClient, method) for package in (local, real)))


def test_arguments_of_a_lookup_are_the_real_ones(local: ModuleType, real: ModuleType) -> None:
    compare(*(package.FeatureLookup.__init__ for package in (local, real)))


def compare(ours: Callable[..., object], theirs: Callable[..., object]) -> None:
    """Each of our arguments is one of theirs, and is required where theirs is."""
    known = inspect.signature(theirs).parameters
    for name, parameter in inspect.signature(ours).parameters.items():
        if parameter.kind is not parameter.VAR_KEYWORD and name not in FORMER_NAMES:
            assert name in known, f"the real one names no argument {name}"
            assert (parameter.default is parameter.empty) == (known[name].default is known[name].empty), name
