"""The bundle's commands, as `make` and both CI systems call them: the real CLI, with a timeout and a check before.

Needs nothing but Python and the CLI (`make cli`, or what `DATABRICKS_CLI` names).
"""

import argparse
import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

REPOSITORY = Path(__file__).resolve().parent.parent
PLANS = REPOSITORY / ".tools"
# What a new project must do first, a box each; tools/new.py writes it.
STEPS = REPOSITORY / "FIRST_STEPS.md"
# Seconds. A host that is not there answers never.
QUICK, DEPLOY, RUN = 120, 900, 4 * 3600
DISPOSABLE = ("dev", "test")
# Words, and no parts of words: exchange_metrics is an honest name.
_PLACEHOLDER = re.compile(
    r"(?<![a-z0-9])change[ _-]?me(?![a-z0-9])|<[^>]*>|@example\.(?:com|net|org)\b|^(?:0{8}-0{4}-0{4}-0{4}-0{12})?$",
    re.IGNORECASE,
)
# What Unity Catalog takes (docs.databricks.com, "Names"), but for the backtick, which would end a name's quotes in SQL.
_NAME = re.compile(r"[^./`\x00-\x20\x7f]{1,255}")
# The CLI writes a suffix into a schema's name in lower case, with an underscore for anything but letters and digits.
_SUFFIX = re.compile(r"[a-z0-9]+")
_ENDPOINT = re.compile(r"[A-Za-z0-9][\w-]{0,62}", re.ASCII)
_REFERENCE = re.compile(r"\$\{resources\.(\w+)\.(\w+)\.(\w+)\}")


def main() -> None:
    """Reads the command line and does what it says."""
    arguments = _parse(sys.argv[1:])
    if not (os.environ.get("DATABRICKS_HOST") or os.environ.get("DATABRICKS_CONFIG_PROFILE")):
        fail(
            "DATABRICKS_HOST is not set: set it to the workspace's address (or DATABRICKS_CONFIG_PROFILE to a profile)."
        )
    target: str = arguments.target
    match arguments.command:
        case "validate":
            validate(target)
            print(f"The bundle is valid for target {target}.")
        case "plan":
            validate(target)
            plan(target)
        case "deploy":
            validate(target)
            bundle("deploy", target, timeout=DEPLOY)
        case "destroy":
            if target not in DISPOSABLE:
                fail(f"the target '{target}' can't be destroyed from here: only {' and '.join(DISPOSABLE)} can.")
            cancel_runs(target)
            bundle("destroy", target, "--auto-approve", timeout=DEPLOY)
        case "run":
            run(target, arguments.job, arguments.params)


def validate(target: str) -> None:
    """Validates strictly, and refuses placeholders in a production target, and names that no workspace takes."""
    checked = json.loads(bundle("validate", target, "--strict", "--output", "json", timeout=QUICK, capture=True))
    found = [f"{name} ('{value}')" for name, value in placeholders(checked)]
    if found and checked["bundle"]["mode"] == "production":
        fail(f"target {target} still has placeholders: {', '.join(found)}.")
    if checked["bundle"]["mode"] == "production" and (steps := open_steps()):
        fail(f"target {target}: first steps are open ({', '.join(steps)}): tick each in {STEPS.name} when it is done.")
    for what in found:
        print(f"warning: {what} is a placeholder, which staging and prod refuse.", file=sys.stderr)
    for sentence in wrong_names(checked):
        fail(f"target {target}: {sentence}")


def open_steps() -> list[str]:
    """The names of the first steps that nobody has ticked; none where there is no list."""
    return re.findall(r"(?m)^- \[ \] ([^:\n]+)", STEPS.read_text(encoding="utf-8")) if STEPS.exists() else []


def wrong_names(checked: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the names that a deployment would make; each would fail later, in a job or halfway."""
    settings = {name: variable.get("value") for name, variable in checked.get("variables", {}).items()}
    if checked["bundle"]["target"] == "test" and not _SUFFIX.fullmatch(settings["suffix"]):
        yield (
            f"the suffix '{settings['suffix']}' must be lower-case letters and digits, such as pr123: "
            "with others, two suffixes could share a schema."
        )
    resources = checked["resources"]
    for kind in ("schemas", "volumes", "registered_models"):
        for key, resource in resources.get(kind, {}).items():
            for field in ("catalog_name", "schema_name", "name"):
                name = resource.get(field, "${}")
                if "${" not in name and not _NAME.fullmatch(name):
                    yield (
                        f"{kind}.{key}.{field} is '{name}', and Unity Catalog takes 1 to 255 characters, "
                        "without dots, slashes, spaces, backticks and control characters."
                    )
    if settings.get("serving") == "true":
        tasks = [task for job in resources.get("jobs", {}).values() for task in job.get("tasks", [])]
        given = [task.get("notebook_task", {}).get("base_parameters", {}).get("endpoint") for task in tasks]
        for name in {_REFERENCE.sub(lambda r: resources[r[1]][r[2]][r[3]], name) for name in given if name}:
            if not _ENDPOINT.fullmatch(name):
                yield (
                    f"the endpoint '{name}' has {len(name)} characters, and a serving endpoint's name is at most 63 "
                    "letters, digits, - and _: choose a shorter schema or suffix, or serving=false."
                )


def placeholders(checked: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and values of the variables, and of the host, that nobody has filled in.

    An empty value is one too, unless the variable's default is empty.
    """
    settings = {name: variable.get("value") for name, variable in checked.get("variables", {}).items()}
    settings["host"] = checked["workspace"].get("host", "unknown")
    for name, value in settings.items():
        if isinstance(value, str) and _PLACEHOLDER.search(value):
            default = checked.get("variables", {}).get(name, {}).get("default")
            if value or default != "":
                yield name, value


def plan(target: str) -> None:
    """Prints the plan and keeps it as a file, for a pull request's comment."""
    text = bundle("plan", target, timeout=QUICK, capture=True)
    print(text, end="")
    PLANS.mkdir(exist_ok=True)
    (PLANS / f"plan-{target}.txt").write_text(text, encoding="utf-8")


def run(target: str, job: str, params: str) -> None:
    """Runs a job and waits for its end. `params` is `name=value` pairs between spaces; a value may have spaces too."""
    pairs = re.split(r"\s+(?=[\w.-]+=)", params.strip()) if params.strip() else []
    wrong = [pair for pair in pairs if not re.fullmatch(r"[\w.-]+=.*", pair, re.DOTALL)]
    if wrong:
        fail(f"'{wrong[0]}' is not a parameter: write PARAMS='name=value name=value'.")
    given = [word for pair in pairs for word in ("--params", _in_csv(pair))]
    bundle("run", target, job, *given, timeout=RUN)


def _in_csv(pair: str) -> str:
    """A pair as the CLI reads it: a field of CSV, which commas part."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([pair])
    return line.getvalue()


def cancel_runs(target: str) -> None:
    """Ends the runs that go on: a run outlives the command that waits for it, and would write to what is destroyed."""
    summary = json.loads(bundle("summary", target, "--output", "json", timeout=QUICK, capture=True))
    for job in summary.get("resources", {}).get("jobs", {}).values():
        if "id" in job:
            listed = databricks(
                *("jobs", "list-runs", "--job-id", job["id"], "--active-only", "--output", "json"),
                timeout=QUICK,
                capture=True,
            )
            for run in json.loads(listed):
                databricks("jobs", "cancel-run", str(run["run_id"]), timeout=DEPLOY)


def bundle(command: str, target: str, *arguments: str, timeout: int, capture: bool = False) -> str:
    """Calls a command of the bundle."""
    return databricks("bundle", command, *arguments, "--target", target, timeout=timeout, capture=capture)


def databricks(*arguments: str, timeout: int, capture: bool = False) -> str:
    """Calls the CLI; its failure, or its silence, ends this process."""
    cli = os.environ.get("DATABRICKS_CLI") or str(REPOSITORY / ".tools" / "bin" / "databricks")
    words = [cli, *arguments]
    suffix = os.environ.get("BUNDLE_VAR_suffix", "")  # noqa: SIM112 (the variable's name)
    # The CLI keeps one local state a target; with another suffix it would take the first one's resources for its own.
    own_state = {"DATABRICKS_BUNDLE_TMP": str(REPOSITORY / ".databricks" / f"suffix_{suffix}")} if suffix else {}
    try:
        done = subprocess.run(  # noqa: S603 (no shell)
            words,
            cwd=REPOSITORY,
            env={**os.environ, **own_state},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if capture else None,
            text=True,
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError:
        fail(f"'{cli}' was not found: 'make cli' builds it, or set DATABRICKS_CLI to another one.")
    except subprocess.TimeoutExpired:
        where = os.environ.get("DATABRICKS_HOST") or "the workspace"
        fail(f"'databricks {' '.join(arguments[:2])}' did not end in {timeout} s: does {where} answer?")
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout or ""


def fail(sentence: str) -> NoReturn:
    """Ends this process with one sentence."""
    print(f"error: {sentence}", file=sys.stderr)
    sys.exit(1)


def _parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bundle", description=__doc__)
    parser.add_argument("command", choices=["validate", "plan", "deploy", "destroy", "run"])
    parser.add_argument("--target", required=True)
    parser.add_argument("--job", default="", help="for run: the job's key in resources/")
    parser.add_argument("--params", default="", help="for run: 'name=value name=value'")
    return parser.parse_args(words)


if __name__ == "__main__":
    main()
