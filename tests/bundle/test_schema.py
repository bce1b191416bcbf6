"""The bundle's files and the local loader fit the schema that the CLI gives out, without a workspace."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_workspace.bundle import load_bundle
from local_workspace.errors import BundleError
from local_workspace.workspace import REPOSITORY
from tests.bundle.standin import BIN, TARGETS, Deployment

FILES = [REPOSITORY / "databricks.yml", *sorted(REPOSITORY.glob("resources/*.yml")), *REPOSITORY.glob("*/bundle.yml")]
# A value of each type that the schema has.
SOME: dict[str, Any] = {"object": {}, "array": [], "string": "some", "boolean": True, "integer": 1}


@pytest.fixture(scope="module")
def schema(built_cli: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("schema") / "bundle.json"
    words = [str(BIN / "databricks"), "bundle", "schema"]
    file.write_text(subprocess.run(words, capture_output=True, text=True, check=True, cwd=file.parent).stdout)
    return file


def check(schema: Path, files: list[Path]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--schemafile", str(schema), *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_each_file_fits_the_schema(schema: Path) -> None:
    assert len(FILES) > 8
    done = check(schema, FILES)
    assert done.returncode == 0, done.stdout


def test_a_key_that_nobody_knows_does_not(schema: Path, tmp_path: Path) -> None:
    text = (REPOSITORY / "resources" / "volume.yml").read_text()
    wrong = tmp_path / "volume.yml"
    wrong.write_text(text.replace("comment:", "coment:"))
    assert check(schema, [wrong]).returncode != 0


def known(schema: Path, *path: str) -> dict[str, Any]:
    """The fields that the CLI knows at a place of the bundle's files, each with a value; `*` is any key or item."""
    whole = json.loads(schema.read_text())

    def follow(part: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in part:
            return follow(reduce(getitem, part["$ref"].split("/")[1:], whole))
        return follow(part["oneOf"][0]) if "oneOf" in part else part  # any other form is `${...}`

    part = whole
    for name in path:
        part = follow(part.get("properties", {}).get(name) or part.get("items") or part["additionalProperties"])
    fields = {name: follow(field) for name, field in part["properties"].items()}
    return {name: field.get("enum", [SOME[field["type"]]])[0] for name, field in fields.items()}


def refusal(folder: Path, content: dict[str, Any]) -> str:
    """What the local loader has against a bundle."""
    (folder / "databricks.yml").write_text(json.dumps({"bundle": {"name": "shop"}} | content))
    try:
        load_bundle(folder, environ={})
    except BundleError as error:
        return str(error)
    return ""


def job(**more: Any) -> dict[str, Any]:
    return {"resources": {"jobs": {"a": {"name": "a", "tasks": [{"task_key": "a"}]} | more}}}


def test_the_local_loader_takes_each_section_or_says_that_it_is_not_supported(
    schema: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sections = known(schema) | {"bundle": {"name": "shop"}}
    assert len(sections) > 10
    for name, value in sections.items():
        assert refusal(tmp_path, {name: value}) == ""
    said = re.findall(r"'(\w+)' is not supported on one machine", capsys.readouterr().err)
    assert sorted(said) == ["artifacts", "experimental", "python", "scripts"]


def test_it_takes_each_field_of_a_target(schema: Path, tmp_path: Path) -> None:
    fields = known(schema, "targets", "*")
    assert len(fields) > 10
    for name, value in fields.items():
        assert refusal(tmp_path, {"targets": {"dev": {name: value}}}) == ""


def test_it_takes_each_field_of_a_job_but_what_changes_what_it_runs(schema: Path, tmp_path: Path) -> None:
    fields = known(schema, "resources", "jobs", "*")
    assert len(fields) > 20
    refusals = {name: refusal(tmp_path, job(**{name: value})) for name, value in fields.items() if name != "tasks"}
    assert {name: text for name, text in refusals.items() if text} == {
        name: f"databricks.yml: job 'a': {name}: this field is not supported by the local runner."
        for name in ("git_source", "job_clusters")
    }


def test_it_takes_each_field_of_a_task_or_names_it(schema: Path, tmp_path: Path) -> None:
    fields = known(schema, "resources", "jobs", "*", "tasks", "*")
    assert len(fields) > 30
    for name, value in fields.items():
        text = refusal(tmp_path, job(tasks=[{"task_key": "a", name: value}]))
        assert text == "" or text.startswith(f"databricks.yml: job 'a': task 'a': {name}: ")


def values(content: Any) -> Iterator[str]:
    """All plain values of a file as text, but for what is written for people."""
    if isinstance(content, dict):
        for key, value in content.items():
            if key not in {"description", "comment", "display_name", "custom_summary"}:
                yield from values(value)
    elif isinstance(content, list):
        for item in content:
            yield from values(item)
    else:
        yield str(content)


def test_no_file_names_a_workspace_and_no_resource_a_target_or_a_catalog() -> None:
    root, *resources = FILES
    assert not [value for file in FILES for value in values(yaml.safe_load(file.read_text())) if "://" in value]
    assert "host" not in yaml.safe_load(root.read_text()).get("workspace", {})
    for file in resources:
        made = yaml.safe_load(file.read_text()).get("resources")  # a fork's file may set its targets' variables
        words = {word for value in values(made) for word in value.replace("/", " ").split()}
        assert words.isdisjoint({*TARGETS, "main", "spark_catalog"}), file.name


def test_the_oldest_cli_that_may_deploy_is_the_one_that_the_tests_deploy_with() -> None:
    wanted = yaml.safe_load(FILES[0].read_text(encoding="utf-8"))["bundle"]["databricks_cli_version"]
    sources = (REPOSITORY / "tests/bundle/workspace/go.mod").read_text(encoding="utf-8")
    (tested,) = re.findall(r"github.com/databricks/cli v(\S+)", sources)
    assert wanted.startswith(f">= {tested},")


def test_an_older_cli_is_refused(fresh: Deployment) -> None:
    fresh.edit("databricks.yml", '">= 0.', '">= 0.9')
    assert "version constraint not satisfied. Required: >= 0.9" in fresh.cli("validate", ok=False)
