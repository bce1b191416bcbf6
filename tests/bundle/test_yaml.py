"""The local loader reads the bundle's YAML and its includes as the CLI does, where parsers differ."""

import json
from pathlib import Path

from local_workspace.bundle import load_bundle
from tests.bundle.standin import TOKEN, Deployment, StandIn

# Not read alike by parsers of YAML 1.1, of YAML 1.2, and the CLI's.
SCALARS = """
    1e3 1E+3 12e03 -2E+05 1.0 1.50 1. .5 -.5 .5e+3 1e-3 0777 089 007.5 0o17 0b101 0x1F -0x1F 0o8 0xG 1_000 +12 -0 00
    123456789012 on yes y No off true TRUE 2024-08-01 2024-8-1 2024-08-01T00:00:00Z 12:30:45 190:20:30 = '12'
"""
BUNDLE = """
bundle: {name: shop}
include: [nothing/*.yml, resources/**/*.yml]
first: &first {a: first, b: first, c: first}
second: &second {a: second, b: second}
variables: {VARIABLES}
resources:
  jobs:
    a:
      name: a
      parameters: [PARAMETERS]
      tasks:
        - task_key: a
          notebook_task:
            notebook_path: /a
            base_parameters:
              <<: [*first, *second]
              a: its own
"""
VOLUME = "resources: {volumes: {KEY: {catalog_name: a, schema_name: b, name: c}}}"


def test_values_merge_keys_and_includes_are_read_as_the_cli_reads_them(workspaces: StandIn, tmp_path: Path) -> None:
    scalars = list(enumerate(SCALARS.split()))
    variables = ", ".join(f"v{number}: {{default: {scalar}}}" for number, scalar in scalars)
    alone = [f"{{name: p{number}, default: {scalar}}}" for number, scalar in scalars]
    in_text = [f"{{name: q{number}, default: 'x${{var.v{number}}}'}}" for number, _ in scalars]
    text = BUNDLE.replace("VARIABLES", variables).replace("PARAMETERS", ", ".join(alone + in_text))
    (tmp_path / "databricks.yml").write_text(text)
    for key, folder in (("none", "."), ("one", "one"), ("hidden", ".one"), ("two", "one/two")):
        (tmp_path / "resources" / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / "resources" / folder / ".a.yml").write_text(VOLUME.replace("KEY", key))
    printed = Deployment(workspaces, tmp_path, "default", f"{TOKEN}-files").cli("validate", "--output", "json")
    here, there = load_bundle(tmp_path, environ={}), json.loads(printed)["resources"]
    assert [parameter.model_dump() for parameter in here.jobs["a"].parameters] == there["jobs"]["a"]["parameters"]
    assert here.resources["jobs"]["a"]["tasks"] == there["jobs"]["a"]["tasks"]
    assert set(here.resources["volumes"]) == set(there["volumes"])
