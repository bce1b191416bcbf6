"""What can be passed to our client can be passed to the real one: a notebook that runs here is not refused there."""

import inspect
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


def test_every_public_word_is_compared(local: ModuleType) -> None:
    client = local.FeatureEngineeringClient
    assert {name for name in vars(client) if not name.startswith("_")} == set(METHODS)


@pytest.mark.parametrize("method", ("__init__", *METHODS))
def test_arguments_of_the_client_are_the_real_ones(method: str, local: ModuleType, real: ModuleType) -> None:
    compare(*(getattr(package.FeatureEngineeringClient, method) for package in (local, real)))


def test_arguments_of_a_lookup_are_the_real_ones(local: ModuleType, real: ModuleType) -> None:
    compare(*(package.FeatureLookup.__init__ for package in (local, real)))


def compare(ours: object, theirs: object) -> None:
    """Each of our arguments is there too, by keyword, and may be left out where ours may."""
    known = inspect.signature(theirs).parameters  # type: ignore[arg-type]
    free = any(one.kind is one.VAR_KEYWORD for one in known.values())
    for name, parameter in inspect.signature(ours).parameters.items():  # type: ignore[arg-type]
        if parameter.kind is parameter.VAR_KEYWORD:
            continue
        assert name in known or free, f"the real one has no argument {name}"
        if name in known:
            may_be_left_out = [one.default is not one.empty for one in (parameter, known[name])]
            assert may_be_left_out[0] == may_be_left_out[1], name
