"""Names that a workspace would refuse halfway, or that two deployments would share, are refused before a deployment."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.bundle.standin import PRINCIPAL, TOKEN, Deployment, StandIn
from tools.bundle import wrong_names


@pytest.fixture(scope="module")
def checked(workspaces: StandIn, clone: Path) -> dict[str, dict[str, Any]]:
    """What `validate` says of two targets, as the check reads it."""
    bundles = [Deployment(workspaces, clone, target, f"{TOKEN}-names") for target in ("test", "prod")]
    return {bundle.target: json.loads(bundle.cli("validate", "--output", "json")) for bundle in bundles}


def said(checked: dict[str, Any], *, resources: dict[str, Any] | None = None, **variables: str) -> list[str]:
    """What is wrong once variables, or fields of the schema, have other values."""
    given = json.loads(json.dumps(checked))
    for name, value in variables.items():
        given["variables"][name]["value"] = value
    given["resources"]["schemas"]["schema"] |= resources or {}
    return list(wrong_names(given))


@pytest.mark.parametrize("suffix", ["", "PR1", "pr-1", "pr_1", "pr.1", "pr 1", "pr1\n", "é"])
def test_a_suffix_that_could_share_a_schema_with_another_is_refused(checked: dict[str, Any], suffix: str) -> None:
    (sentence,) = said(checked["test"], suffix=suffix)
    assert sentence.startswith(f"the suffix '{suffix}' must be lower-case letters and digits")
    assert said(checked["test"], suffix="pr1") == said(checked["prod"], suffix=suffix) == []


@pytest.mark.parametrize("name", ["ml.prod", "ml prod", "ml/prod", "ml\tprod", "ml\x7f", "ml`prod", "", "m" * 256])
def test_what_unity_catalog_refuses_is_refused_by_its_name(checked: dict[str, Any], name: str) -> None:
    for field in ("catalog_name", "name"):
        (sentence,) = said(checked["prod"], resources={field: name}, serving="false")
        assert sentence.startswith(f"schemas.schema.{field} is '{name}', and Unity Catalog takes")


@pytest.mark.parametrize("name", ["ml-prod", "ml_prod", "Ml+1", "目录", "m" * 255])
def test_what_unity_catalog_takes_is_left_alone(checked: dict[str, Any], name: str) -> None:
    assert said(checked["prod"], resources={"catalog_name": name, "name": name}, serving="false") == []


def test_an_endpoint_that_would_be_made_has_63_characters_at_most(checked: dict[str, Any]) -> None:
    longest = "a" * (63 - len("_prod"))
    assert said(checked["prod"], resources={"name": longest}, serving="true") == []
    (sentence,) = said(checked["prod"], resources={"name": longest + "a"}, serving="true")
    assert "has 64 characters" in sentence
    assert said(checked["prod"], resources={"name": longest + "a"}, serving="false") == []
    (sentence,) = said(checked["prod"], resources={"name": "目录"}, serving="true")
    assert "letters, digits, - and _" in sentence


def test_a_service_principals_copies_leave_room_for_the_endpoint(checked: dict[str, Any]) -> None:
    """Its id of 36 characters is in the name; a pull request of five digits is served still, one of six is refused."""
    name = checked["test"]["resources"]["schemas"]["schema"]["name"]
    assert PRINCIPAL.replace("-", "_") in name
    for suffix, refused in (("pr12345", 0), ("pr123456", 1)):
        renamed = {"name": name.replace("pr1_", f"{suffix}_")}
        assert len(said(checked["test"], resources=renamed, suffix=suffix, serving="true")) == refused


def test_nothing_is_deployed_under_a_wrong_name(fresh: Deployment) -> None:
    for name, value in (("suffix", "PR_1"), ("catalog", "ml.prod"), ("schema", "two words")):
        wrong = replace(fresh, settings={**fresh.settings, name: value})
        assert "error: target test: " in wrong.make("deploy", ok=False)
    assert fresh.held()["jobs"] == []
