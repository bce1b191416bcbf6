"""The bundle loader resolves what the CLI resolves, and names what it can't."""

import re
import subprocess

import pytest

from local_workspace.bundle import Bundle, load_bundle
from local_workspace.errors import BundleError

VARIABLES = """
bundle:
  name: shop
include:
  - resources/*.yml
variables:
  catalog:
    default: main
  schema:
    default: sales
  table:
    default: ${var.catalog}.${var.schema}
  retries:
    default: 2
  spec:
    type: complex
    default:
      environment_version: "5"
      dependencies: ["--editable ${workspace.file_path}"]
targets:
  dev:
    mode: development
    default: true
  prod:
    mode: production
    workspace:
      root_path: /Workspace/deployments/${bundle.name}/${bundle.target}
    run_as:
      service_principal_name: ${var.catalog}-principal
    variables:
      catalog: prod
    resources:
      jobs:
        report:
          parameters:
            - name: days
              default: "30"
          tasks:
            - task_key: write
              max_retries: 5
            - task_key: announce
              depends_on:
                - task_key: write
              notebook_task:
                notebook_path: notebooks/Announce.py
"""
REPORT = """
resources:
  schemas:
    sales:
      catalog_name: ${var.catalog}
      name: ${var.schema}
  registered_models:
    churn:
      catalog_name: ${resources.schemas.sales.catalog_name}
      schema_name: ${resources.schemas.sales.name}
      name: churn
  experiments:
    churn:
      name: ${workspace.root_path}/churn
  jobs:
    report:
      name: report
      schedule:
        quartz_cron_expression: 0 0 5 * * ?
        timezone_id: UTC
      parameters:
        - name: days
          default: 7
        - name: table
          default: ${var.table}
        - name: model
          default: ${resources.registered_models.churn.id}
        - name: where
          default: ${bundle.name}/${bundle.target}/${workspace.current_user.short_name}
      environments:
        - environment_key: default
          spec: ${var.spec}
      tasks:
        - task_key: write
          notebook_task:
            notebook_path: ../notebooks/Write.py
          max_retries: ${var.retries}
"""


def load(bundle, target=None, user="jane.doe@example.com", **variables) -> Bundle:
    environ = {f"BUNDLE_VAR_{name}": value for name, value in variables.items()}
    return load_bundle(bundle.root, target, environ=environ, user=user)


@pytest.fixture
def report(bundle):
    bundle.write("databricks.yml", VARIABLES)
    bundle.write("resources/report.yml", REPORT)
    return bundle


def defaults(bundle: Bundle) -> dict[str, str]:
    return {parameter.name: parameter.default for parameter in bundle.jobs["report"].parameters}


def test_variables_nest_keep_their_type_and_stand_inside_text(report):
    job = load(report).jobs["report"]
    assert defaults(load(report))["table"] == "main.sales"
    assert job.tasks[0].max_retries == 2
    assert job.environments[0].spec == {
        "environment_version": "5",
        "dependencies": ["--editable /Workspace/Users/jane.doe@example.com/.bundle/shop/dev/files"],
    }


def test_plain_values_become_text_where_text_is_wanted(report):
    assert defaults(load(report))["days"] == "7"


def test_the_environment_beats_the_target_which_beats_the_default(report):
    assert load(report).variables["catalog"] == "main"
    assert load(report, "prod").variables["catalog"] == "prod"
    assert load(report, "prod", catalog="spark_catalog").variables["catalog"] == "spark_catalog"
    assert defaults(load(report, "prod", catalog="spark_catalog"))["table"] == "spark_catalog.sales"


def test_a_target_joins_tasks_and_parameters_by_their_keys(report):
    job = load(report, "prod").jobs["report"]
    assert [task.task_key for task in job.tasks] == ["announce", "write"]
    write = job.tasks[1]
    assert write.max_retries == 5
    assert write.notebook_task.notebook_path == "/Workspace/deployments/shop/prod/files/notebooks/Write"
    assert job.tasks[0].notebook_task.notebook_path.endswith("files/notebooks/Announce")
    assert defaults(load(report, "prod"))["days"] == "30"
    assert len(job.parameters) == 4


def test_notebook_paths_lead_back_to_the_files(report):
    loaded = load(report)
    path = loaded.jobs["report"].tasks[0].notebook_task.notebook_path
    assert loaded.notebook_file(path) == report.root.resolve() / "notebooks" / "Write.py"


def test_development_mode_prefixes_tags_and_pauses(report):
    loaded = load(report)
    job = loaded.jobs["report"]
    assert job.name == "[dev jane_doe] report"
    assert job.tags == {"dev": "jane_doe"}
    assert job.schedule["pause_status"] == "PAUSED"
    assert loaded.resource("schemas", "sales")["name"] == "dev_jane_doe_sales"
    model = "main.dev_jane_doe_sales.dev_jane_doe_churn"
    assert loaded.resource("registered_models", "churn")["id"] == model
    assert defaults(loaded)["model"] == model
    root = "/Workspace/Users/jane.doe@example.com/.bundle/shop/dev"
    assert loaded.resource("experiments", "churn")["name"] == f"{root}/[dev jane_doe] churn"
    assert defaults(loaded)["where"] == "shop/dev/jane_doe"


def test_production_mode_leaves_names_and_schedules_as_they_are(report):
    loaded = load(report, "prod")
    job = loaded.jobs["report"]
    assert job.name == "report"
    assert job.tags == {}
    assert job.schedule["pause_status"] == "UNPAUSED"
    assert job.run_as == {"service_principal_name": "prod-principal"}
    assert loaded.resource("registered_models", "churn")["id"] == "prod.sales.churn"


def test_presets_prefix_without_development_mode(report):
    text = VARIABLES.replace("    mode: production\n", '    presets:\n      name_prefix: "pr_7_"\n')
    report.write("databricks.yml", text)
    loaded = load(report, "prod")
    assert loaded.jobs["report"].name == "pr_7_report"
    assert loaded.resource("schemas", "sales")["name"] == "pr_7sales"  # as the CLI does it


def test_job_ids_are_resolved(bundle):
    bundle.job("child", "- {task_key: a, notebook_task: {notebook_path: ../notebooks/A.py}}")
    bundle.job("parent", "- {task_key: run, run_job_task: {job_id: '${resources.jobs.child.id}'}}")
    loaded = load(bundle)
    assert loaded.job_keys[loaded.jobs["parent"].tasks[0].run_job_task.job_id] == "child"


def test_git_details_are_empty_outside_a_repository(bundle):
    task = "- {task_key: a, notebook_task: {notebook_path: ../A.py}}"
    bundle.job("a", task, more="description: at ${bundle.git.commit}.")
    assert load(bundle).jobs["a"].description == "at ."


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({}, ""),
        ({"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}, "dubious ownership"),
        ({"PATH": ""}, "git was not found"),
        ({"GIT_DIR": "none"}, "not a git repository"),
    ],
)
def test_a_commit_that_git_does_not_tell_is_warned_of_with_its_reason(bundle, monkeypatch, capsys, variables, why):
    commit = ("-c", "user.name=me", "-c", "user.email=me@example.com", "commit", "--quiet", "--allow-empty", "-mx")
    for words in (("init", "--quiet"), commit):
        subprocess.run(["git", "-C", bundle.root, *words], check=True)  # noqa: S603, S607
    bundle.job("a", TASK, more="description: at ${bundle.git.commit}")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert bool(re.fullmatch("at [0-9a-f]{40}", load(bundle).jobs["a"].description)) == (not why)
    said = capsys.readouterr().err.splitlines()
    assert [("the commit is not known" in line, why in line) for line in said] == [(True, True)] * bool(why)


def test_yaml_keeps_times_dates_and_words_as_text(bundle):
    parameters = "[{name: a, default: 12:30:45}, {name: b, default: 2024-08-01T00:00:00Z}, {name: c, default: on}]"
    task = "- {task_key: a, notebook_task: {notebook_path: ../A.py}}"
    bundle.job("a", task, more=f"parameters: {parameters}")
    found = [parameter.default for parameter in load(bundle).jobs["a"].parameters]
    assert found == ["12:30:45", "2024-08-01T00:00:00Z", "on"]


TASK = "- {task_key: a, notebook_task: {notebook_path: ../A.py}}"
ROOT = "bundle: {name: shop}\ninclude: [resources/*.yml]\n"
ENVIRONMENTS = "environments: {dev: {git: {branch: main}, compute_id: x}}\n"
COMMON = """
base: &base {description: theirs, max_concurrent_runs: 3}
common: &common {<<: *base, max_concurrent_runs: 2}
resources:
  jobs:
    a:
      <<: *common
      name: a
      description: its own
      tasks:
        - {task_key: a, notebook_task: {notebook_path: ../A.py}}
"""
IN_A_TARGET = """
targets:
  dev:
    artifacts: {wheel: {type: whl}}
    resources: {jobs: {a: {name: a, tasks: []}}}
"""


def test_yaml_writes_numbers_as_the_cli_does(bundle):
    parameters = "[{name: a, default: 1e3}, {name: b, default: 1.0}, {name: c, default: 010}]"
    bundle.job("a", TASK, more=f"parameters: {parameters}")
    assert [parameter.default for parameter in load(bundle).jobs["a"].parameters] == ["1000", "1", "10"]


def test_a_section_of_another_name_may_hold_what_others_merge(bundle):
    bundle.write("resources/a.yml", COMMON)
    bundle.write("resources/b.yml", "common: &common [another]\n")
    job = load(bundle).jobs["a"]
    assert (job.description, job.max_concurrent_runs) == ("its own", 2)


def test_an_include_with_a_wildcard_may_match_nothing_or_a_file_of_nothing(bundle):
    assert load(bundle).jobs == {}
    bundle.write("resources/a.yml", "---\n# Nothing yet\n")
    assert load(bundle).jobs == {}


def test_two_stars_of_an_include_are_one_folder(bundle):
    bundle.write("databricks.yml", ROOT.replace("resources/*", "jobs/**/*"))
    for key, folder in (("none", "jobs"), ("one", "jobs/one"), ("hidden", "jobs/.one"), ("two", "jobs/one/two")):
        bundle.write(f"{folder}/a.yml", "resources: {volumes: {KEY: {name: a}}}".replace("KEY", key))
    assert set(load(bundle).resources["volumes"]) == {"one", "hidden"}


def test_targets_may_be_missing_or_have_their_old_name(bundle):
    bundle.job("a", TASK, more="description: ${bundle.environment} ${bundle.git.branch}")
    bundle.write("databricks.yml", ROOT)
    assert load(bundle).target == "default"
    bundle.write("databricks.yml", ROOT + ENVIRONMENTS)
    assert load(bundle).jobs["a"].description == "dev main"
    bundle.write("databricks.yml", ROOT + ENVIRONMENTS + "targets: {}\n")
    with pytest.raises(BundleError, match="'targets' and 'environments'"):
        load(bundle)


def test_what_one_machine_does_not_do_is_said_and_left_out(bundle, capsys):
    bundle.write("databricks.yml", ROOT + "python: {venv_path: .venv}\n" + IN_A_TARGET.replace("[]", f"[{TASK[2:]}]"))
    assert set(load(bundle).jobs) == {"a"}
    words = "is not supported on one machine: it is left out."
    said = [line for line in capsys.readouterr().err.splitlines() if words in line]
    assert said == [f"warning: 'artifacts' {words}", f"warning: 'python' {words}"]


def test_a_mistake_in_a_job_that_only_a_target_has_is_named(bundle):
    bundle.write("databricks.yml", ROOT + IN_A_TARGET)
    with pytest.raises(BundleError, match=r"databricks\.yml: job 'a': tasks"):
        load(bundle)


@pytest.mark.parametrize("performance", ["STANDARD", "PERFORMANCE_OPTIMIZED"])
def test_a_job_may_say_how_fast_serverless_compute_is_to_start(bundle, performance):
    bundle.job("a", TASK, more=f"performance_target: {performance}")
    assert load(bundle).jobs["a"].performance_target == performance


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("description: ${var.missing}", ["resources/a.job.yml:5", "unknown variable ${var.missing}"]),
        ("description: ${bundle.missing}", ["resources/a.job.yml:5", "unknown reference ${bundle.missing}"]),
        ("description: ${nonsense.x}", ["resources/a.job.yml:5", "${nonsense.x}"]),
        ("description: ${resources.jobs.b.id}", ["resources/a.job.yml:5", "${resources.jobs.b.id}"]),
        ("nonsense: 1", ["resources/a.job.yml", "job 'a'", "nonsense"]),
        ("git_source: {}", ["resources/a.job.yml", "git_source"]),
        ("performance_target: FAST", ["resources/a.job.yml", "job 'a'", "performance_target", "'STANDARD'"]),
        ("description: a\ndescription: b", ["resources/a.job.yml:6", "duplicate key 'description'"]),
        ("tags: &t {a: b}\nhealth:\n  <<: *t\n  a: c\n  a: d", ["resources/a.job.yml:9", "duplicate key 'a'"]),
        ("description: [", ["resources/a.job.yml is not valid YAML"]),
        ("description: 0x_", ["resources/a.job.yml is not valid YAML"]),
    ],
)
def test_a_mistake_in_a_job_is_named_with_its_file(bundle, more, words):
    bundle.job("a", TASK, more=more)
    with pytest.raises(BundleError) as error:
        load(bundle)
    assert all(word in str(error.value) for word in words), str(error.value)


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("python_wheel_task: {}", ["task 'a'", "python_wheel_task", "not supported"]),
        ("for_each_task: {}", ["task 'a'", "for_each_task", "not supported"]),
        ("new_cluster: {}", ["task 'a'", "new_cluster", "not supported"]),
        (
            "notebook_task: {notebook_path: A.py, warehouse_id: x}",
            ["task 'a'", "notebook_task: warehouse_id"],
        ),
        ("run_if: SOMETIMES", ["task 'a'", "run_if"]),
        ("max_retries: some", ["task 'a'", "max_retries"]),
    ],
)
def test_a_task_field_that_would_be_ignored_is_refused(bundle, task, words):
    bundle.job("a", f"- task_key: a\n  {task}")
    with pytest.raises(BundleError) as error:
        load(bundle)
    assert all(word in str(error.value) for word in ["resources/a.job.yml", *words]), str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("resources/*.yml", "resources/reprot.yml", "include 'resources/reprot.yml' matches no file"),
        ("    default: sales\n", "    lookup: {warehouse: x}\n", "variable 'schema' is a lookup"),
        ("    default: sales\n", "    description: x\n", "variable 'schema' has no value"),
        ("    default: sales\n", "    defualt: sales\n", "variable 'schema': unknown field 'defualt'"),
        ("catalog: prod", "catalogue: prod", "'catalogue', which is not defined"),
        ("\nvariables:", "\nvarables:", "databricks.yml:5: unknown field 'varables'"),
        ("    mode: production", "    modus: production", "target 'prod': unknown field 'modus'"),
    ],
)
def test_a_mistake_in_the_root_file_is_named(report, old, new, words):
    assert old in VARIABLES
    report.write("databricks.yml", VARIABLES.replace(old, new, 1))
    with pytest.raises(BundleError, match=words.replace("*", r"\*")):
        load(report, "prod")


def test_a_cycle_names_its_members(report):
    report.write("databricks.yml", VARIABLES.replace("default: sales", "default: x-${var.table}"))
    with pytest.raises(BundleError, match=r"yml:9: .*\$\{var.table\} → \$\{var.schema\} → \$\{var.table\}"):
        load(report)


def test_complex_variables_do_not_come_from_the_environment(report):
    with pytest.raises(BundleError, match="BUNDLE_VAR_spec"):
        load(report, spec="{}")


def test_an_unknown_target_names_the_known_ones(report):
    with pytest.raises(BundleError, match=r"no target 'qa' \(known: dev, prod\)"):
        load(report, "qa")


def test_an_unknown_resource_is_named(report):
    with pytest.raises(BundleError, match=r"schemas\.nothing"):
        load(report).resource("schemas", "nothing")


def test_a_missing_root_file_is_named(tmp_path):
    with pytest.raises(BundleError, match=r"databricks\.yml"):
        load_bundle(tmp_path, environ={})
