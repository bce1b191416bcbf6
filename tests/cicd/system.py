"""What the rehearsal asks of a CI system: to read its files, and to say what a run of them sees."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from tests.cicd.expressions import Function, evaluate, truth
from tests.cicd.workflow import Job, Step, Workflow

ORGANIZATION, REPOSITORY = "example", "arrival-delay"


@dataclass(frozen=True)
class Event:
    """What happened in the repository. `commit` is what a run checks out; for a pull request that is its merge."""

    kind: str  # pull_request, push, schedule or dispatch
    commit: str
    branch: str = "main"  # pushed to, or where a pull request goes
    number: int = 0
    fork: bool = False
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def ref(self) -> str:
        return f"refs/pull/{self.number}/merge" if self.number else f"refs/heads/{self.branch}"


def _outputs() -> dict[str, dict[str, str]]:
    # An output that nobody set is empty in both systems.
    return defaultdict(lambda: defaultdict(str))


@dataclass
class Position:
    """Where a run has come to: what its expressions and commands see."""

    event: Event
    workflow: Workflow
    job: Job
    results: Mapping[str, str] = field(default_factory=dict)  # of jobs that ended
    outputs: dict[str, dict[str, str]] = field(default_factory=_outputs)  # of jobs that ended
    steps: dict[str, dict[str, str]] = field(default_factory=_outputs)  # outputs of this job's steps
    status: str = "success"  # of the jobs that this one waits for, or of the steps before
    url: str = "http://system.invalid"  # where the system answers
    token: str = "its-token"  # noqa: S105 (the job's own, made up)
    identity: str = "its-identity"  # the secret that gets the job its identity token


class System(ABC):
    """One of the two systems."""

    name: ClassVar[str]
    folder: ClassVar[str]
    shell: ClassVar[tuple[str, ...]]
    # The variable that names the file to which a command writes its outputs, if there is one.
    output_file: ClassVar[str] = ""
    # The status functions: a name, and the status that it asks for (none for any).
    status_functions: ClassVar[Mapping[str, str]]

    def __init__(self, settings: Mapping[str, Mapping[str, str]]) -> None:
        """Keeps what people set for each environment: GitHub's variables, Azure's variable groups."""
        self.settings = settings

    def workflows(self, root: Path) -> list[Workflow]:
        """All workflows, read from a checkout."""
        found = [self.read(file) for file in sorted((root / self.folder).glob("*.yml")) if self.is_workflow(file)]
        assert found, f"no workflows in {root / self.folder}"
        return found

    def is_workflow(self, file: Path) -> bool:
        """Whether a file is more than a part of others."""
        return file.is_file()

    @abstractmethod
    def read(self, file: Path) -> Workflow:
        """The workflow that a file describes."""

    @abstractmethod
    def starts(self, workflow: Workflow, event: Event) -> bool:
        """Whether the event starts the workflow."""

    @abstractmethod
    def names(self, position: Position) -> Mapping[str, Any]:
        """The contexts that expressions may name."""

    @abstractmethod
    def functions(self, position: Position) -> Mapping[str, Function]:
        """The functions that conditions may call, beside those of the status."""

    @abstractmethod
    def complete(self, condition: str) -> str:
        """A condition with what the system adds to it."""

    @abstractmethod
    def expand(self, text: str, position: Position) -> str:
        """A text with its expressions put in."""

    @abstractmethod
    def environment(self, step: Step, position: Position) -> dict[str, str]:
        """What the files put into a step's environment."""

    @abstractmethod
    def predefined(self, position: Position) -> dict[str, str]:
        """What the system itself puts into a step's environment."""

    @abstractmethod
    def step_outputs(self, step: Step, printed: str, written: str) -> dict[str, str]:
        """The outputs that a step has set, by what it printed or wrote to its output file."""

    @abstractmethod
    def job_outputs(self, position: Position) -> dict[str, str]:
        """The outputs of a job that ended."""

    @abstractmethod
    def subject(self, position: Position) -> str:
        """Whom the system's identity token for a job names; empty where the job may not have one."""

    @abstractmethod
    def rights(self, position: Position) -> set[str]:
        """What a job's own token may do besides reading: push, comment, dispatch."""

    def holds(self, condition: str, position: Position) -> bool:
        """Whether a job or step runs."""
        status = {
            name: (lambda wanted=wanted: wanted in ("", position.status))
            for name, wanted in self.status_functions.items()
        }
        functions = {**status, **self.functions(position)}
        return truth(evaluate(self.complete(condition), self.names(position), functions))
