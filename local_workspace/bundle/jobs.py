"""Jobs as the local runner understands them. A field that it would silently ignore is refused by name."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from local_workspace.errors import BundleError

RUN_IF = Literal["ALL_SUCCESS", "AT_LEAST_ONE_SUCCESS", "NONE_FAILED", "ALL_DONE", "AT_LEAST_ONE_FAILED", "ALL_FAILED"]
CONDITION_OP = Literal[
    "EQUAL_TO", "NOT_EQUAL", "GREATER_THAN", "GREATER_THAN_OR_EQUAL", "LESS_THAN", "LESS_THAN_OR_EQUAL"
]


def _to_text(value: Any) -> Any:
    """The CLI turns plain values into text where the API wants text."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


Text = Annotated[str, BeforeValidator(_to_text)]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NotebookTask(_Settings):
    """Runs a notebook of the bundle."""

    notebook_path: str
    base_parameters: dict[str, Text] = {}
    source: Literal["WORKSPACE"] = "WORKSPACE"


class ConditionTask(_Settings):
    """Compares two texts or numbers."""

    op: CONDITION_OP
    left: Text
    right: Text


class RunJobTask(_Settings):
    """Runs another job of the bundle and waits for it."""

    job_id: int
    job_parameters: dict[str, Text] = {}


class Dependency(_Settings):
    """A task that must be done first; for a condition task, also which way it must have gone."""

    task_key: str
    outcome: Annotated[Literal["true", "false"] | None, BeforeValidator(_to_text)] = None


class Task(_Settings):
    """One node of a job's graph."""

    task_key: str = Field(pattern=r"^[\w-]{1,100}$")
    depends_on: tuple[Dependency, ...] = ()
    run_if: RUN_IF = "ALL_SUCCESS"
    notebook_task: NotebookTask | None = None
    condition_task: ConditionTask | None = None
    run_job_task: RunJobTask | None = None
    max_retries: int = Field(default=0, ge=-1)
    min_retry_interval_millis: int = Field(default=0, ge=0)
    environment_key: str | None = None
    # Only a workspace acts on these.
    description: str | None = None
    retry_on_timeout: bool = False
    timeout_seconds: int | None = None
    disable_auto_optimization: bool | None = None
    email_notifications: Any = None
    notification_settings: Any = None
    webhook_notifications: Any = None
    health: Any = None


class Parameter(_Settings):
    """A job parameter; its default may hold dynamic value references."""

    name: str = Field(pattern=r"^[\w.-]+$")
    default: Text


class Environment(_Settings):
    """A serverless environment; locally there is one for all tasks, the virtual environment."""

    environment_key: str
    spec: Any = None


class Job(_Settings):
    """A job with everything resolved."""

    name: str
    tasks: tuple[Task, ...] = Field(min_length=1)
    parameters: tuple[Parameter, ...] = ()
    environments: tuple[Environment, ...] = ()
    # Only a workspace acts on these.
    description: str | None = None
    tags: dict[str, Text] = {}
    queue: Any = None
    max_concurrent_runs: int = 1
    timeout_seconds: int | None = None
    schedule: Any = None
    trigger: Any = None
    continuous: Any = None
    lifecycle: Any = None
    permissions: Any = None
    run_as: Any = None
    health: Any = None
    email_notifications: Any = None
    notification_settings: Any = None
    webhook_notifications: Any = None
    performance_target: Literal["PERFORMANCE_OPTIMIZED", "STANDARD"] | None = None
    budget_policy_id: str | None = None
    usage_policy_id: str | None = None
    edit_mode: str | None = None


def parse_job(key: str, settings: dict[str, Any], file: str) -> Job:
    """Reads a job's resolved settings; what is wrong is said with the file, the task and the field."""
    try:
        return Job.model_validate({name: value for name, value in settings.items() if name != "id"})
    except ValidationError as error:
        first = error.errors()[0]
        where = _locate(first["loc"], settings)
        unsupported = "this field is not supported by the local runner"
        message = unsupported if first["type"] == "extra_forbidden" else first["msg"]
        raise BundleError(f"{file}: job '{key}': {where}: {message}.") from None


def _locate(location: tuple[int | str, ...], settings: dict[str, Any]) -> str:
    match location:
        case ("tasks", int(index), *rest):
            task = settings["tasks"][index].get("task_key", index)
            return f"task '{task}'" + "".join(f": {part}" for part in rest)
    return ".".join(str(part) for part in location)
