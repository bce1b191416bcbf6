"""Runs a workflow on this machine: its jobs in order, each in a clone of its own, its commands as the system does.

What is not run as it is written is named in `equivalents`. A command that touches no workspace is run once: the result
is used again for the same command on the same tree, whichever system asks (`Site.done`).
"""

import os
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.cicd.equivalents import COMMANDS, JVM_WORDS, NOT_REHEARSED, OFFLINE_WORDS, SELECTIONS, USES
from tests.cicd.repository import Origin, git
from tests.cicd.services import Forge
from tests.cicd.system import Event, Position, System
from tests.cicd.workflow import Job, Step, UnknownPartError, Workflow

_INTERRUPTED = 130


@dataclass(frozen=True)
class Ran:
    """How a command ended, what it printed, and what it wrote to its output file."""

    status: int
    printed: str = ""
    written: str = ""


@dataclass(frozen=True)
class Done:
    """A step of a job that is over; `again` when its command ran before, for the other system."""

    job: str
    command: str
    ran: Ran
    again: bool = False


@dataclass
class Outcome:
    """How a run ended."""

    results: dict[str, str] = field(default_factory=dict)
    done: list[Done] = field(default_factory=list)
    dispatched: list[str] = field(default_factory=list)

    @property
    def green(self) -> bool:
        return not {"failure", "cancelled"} & set(self.results.values())

    @property
    def commands(self) -> list[str]:
        return [step.command for step in self.done]

    def failed(self) -> list[str]:
        return [step.command for step in self.done if step.ran.status]

    def __str__(self) -> str:
        steps = (f"--- {s.job}: {s.command} -> {s.ran.status}\n{s.ran.printed}" for s in self.done)
        return "\n".join([str(self.results), *steps])


@dataclass
class Site:
    """What runs share: the repository, the systems' services, a folder, and results that may be used again."""

    checkout: Path  # whose environment and tools stand for restored caches
    origin: Origin
    folder: Path
    forge: Forge
    forge_url: str
    base: Mapping[str, str]
    jvm: bool  # whether the checkout has JVM Spark; without it what needs it is not rehearsed
    done: dict[tuple[str, str], Ran] = field(default_factory=dict)


@dataclass
class Machine:
    """The machine of one job."""

    site: Site
    system: System
    position: Position
    outcome: Outcome
    cancel: Callable[[Step], bool] | None = None
    root: Path = field(init=False)
    # What steps have put into the environment of those after them: git's way to the origin, Java.
    brought: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.root = self.site.folder / f"{self.position.job.key}-{uuid.uuid4().hex[:8]}"
        self.root.mkdir()

    def run(self) -> str:
        """Runs the job's steps; returns the job's result."""
        position, forge = self.position, self.site.forge
        subject = self.system.subject(position)
        if subject:
            forge.identities[position.identity] = {"sub": subject}
        forge.rights[position.token] = self.system.rights(position)
        for step in position.job.steps:
            if self.system.holds(step.condition, position):
                self._run_step(step)
        shutil.rmtree(self.root)
        return position.status

    def _run_step(self, step: Step) -> None:
        if step.uses:
            action = step.uses.split("@")[0]
            if action not in USES:
                raise UnknownPartError(f"{self.position.workflow.file}: the rehearsal does not know '{step.uses}'.")
            USES[action](self, step)
            return
        command = self.system.expand(step.run, self.position)
        env = {**self.system.predefined(self.position), **self.system.environment(step, self.position)}
        again = self._earlier(command)
        ran = again or self._run_command(step, command, env)
        if command in OFFLINE_WORDS:
            self.site.done[self._key(command)] = ran
        self.outcome.done.append(Done(self.position.job.key, command, ran, again is not None))
        if ran.status:
            self.position.status = "cancelled" if ran.status == _INTERRUPTED and self.cancel else "failure"
        else:
            self.position.steps[step.name] |= self.system.step_outputs(step, ran.printed, ran.written)

    def _earlier(self, command: str) -> Ran | None:
        """The result of a command that touches no workspace, if it ran before on this tree."""
        if command not in OFFLINE_WORDS:
            return None
        assert not self.position.job.environment, f"{command} has a workspace's credentials, and may not be used again"
        return self.site.done.get(self._key(command))

    def _key(self, command: str) -> tuple[str, str]:
        return command, git(self.root, "rev-parse", "HEAD^{tree}")

    def _run_command(self, step: Step, command: str, env: Mapping[str, str]) -> Ran:
        known = next((words for words in COMMANDS if command.startswith(words)), None)
        if known:
            return Ran(*COMMANDS[known](self, command, env))
        if command in JVM_WORDS and not self.site.jvm:
            return Ran(0, NOT_REHEARSED)
        script, output, log = (self.root.with_suffix(suffix) for suffix in (".sh", ".out", ".log"))
        script.write_text(command + "\n")
        output.write_text("")
        selected = {"PYTEST_ADDOPTS": SELECTIONS[command]} if command in SELECTIONS else {}
        told = {self.system.output_file: str(output)} if self.system.output_file else {}
        with log.open("wb") as printed:
            process = subprocess.Popen(  # noqa: S603 (the commands of our own workflows)
                [*self.system.shell, str(script)],
                cwd=self.root,
                env={**self.site.base, **env, **self.brought, **selected, **told},
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            status = self._wait(process, step)
        return Ran(status, log.read_text(errors="replace"), output.read_text())

    def _wait(self, process: subprocess.Popen[bytes], step: Step) -> int:
        """Waits for the command's end; ends it when the run is cancelled, as both systems do: by an interrupt."""
        while process.poll() is None:
            if self.cancel and self.cancel(step):
                os.killpg(process.pid, signal.SIGINT)
                process.wait()
                return _INTERRUPTED
            time.sleep(0.05)
        return process.returncode


def run_workflow(
    system: System,
    workflow: Workflow,
    event: Event,
    run_job: Callable[[Position, Outcome], str],
    *,
    url: str = "",
) -> Outcome:
    """Goes through a workflow for an event.

    Args:
        run_job: Runs the job of a position and returns its result; only called for jobs whose condition holds.
        url: Where the system answers.
    """
    outcome = Outcome()
    outputs = Position(event, workflow, workflow.jobs[0]).outputs
    for job in in_order(workflow.jobs):
        position = Position(event, workflow, job, outcome.results, outputs, url=url)
        position.status = _status_of(job, outcome.results)
        if not system.holds(job.condition, position):
            outcome.results[job.key] = "cancelled" if position.status == "cancelled" else "skipped"
            continue
        position.status = "success"
        position.token, position.identity = f"token-{uuid.uuid4()}", f"identity-{uuid.uuid4()}"
        outcome.results[job.key] = run_job(position, outcome)
        outputs[job.key] |= system.job_outputs(position)
    return outcome


def in_order(jobs: tuple[Job, ...]) -> list[Job]:
    """The jobs, each after those that it needs, otherwise as in the file."""
    found: list[Job] = []
    while waiting := [job for job in jobs if job not in found]:
        ready = [job for job in waiting if set(job.needs) <= {done.key for done in found}]
        if not ready:
            raise UnknownPartError(f"'{waiting[0].key}' needs a job that never comes: {', '.join(waiting[0].needs)}.")
        found.append(ready[0])
    return found


def _status_of(job: Job, results: Mapping[str, str]) -> str:
    before = {results[key] for key in job.needs}
    if "cancelled" in before:
        return "cancelled"
    return "success" if before <= {"success"} else "failure"
