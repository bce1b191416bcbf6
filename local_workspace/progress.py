"""Shows a job's tasks while they run: a live table on a terminal, plain lines anywhere else."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from local_workspace.console import Console
from local_workspace.graph import State
from local_workspace.runs import JobRun, TaskRun

_STYLES = {
    State.PENDING: ("·", "dim"),
    State.SUCCESS: ("✓", "green"),
    State.FAILED: ("✗", "bold red"),
    State.UPSTREAM_FAILED: ("✗", "red"),
    State.EXCLUDED: ("-", "dim"),
}
_WORDS = {
    State.SUCCESS: "done",
    State.FAILED: "FAILED",
    State.UPSTREAM_FAILED: "not run: an earlier task failed",
}
_INDENT = 2


class Progress:
    """Listens to a runner and shows where it is."""

    def __init__(self, console: Console | None = None) -> None:
        """Takes the console to write to; standard output when left out."""
        self._console = console or Console(highlight=False)
        self._live = self._console.is_terminal
        self._spinners: dict[TaskRun, Spinner] = {}

    @contextmanager
    def starting(self, what: str) -> Iterator[None]:
        """Shows that something starts, and how long it took."""
        began = time.monotonic()
        if self._live:
            with self._console.status(f"Starting {what}"):
                yield
        else:
            yield
        self._console.print(f"{what} started in {time.monotonic() - began:.1f} s", soft_wrap=True)

    @contextmanager
    def job(self, run: JobRun) -> Iterator[None]:
        """Shows one job from its start to its end."""
        as_of = run.parameters.get("as_of", "")
        self._console.print(Text(f"\n{run.key}  {as_of}".rstrip(), style="bold"), soft_wrap=True)
        began = time.monotonic()
        if self._live:
            with Live(get_renderable=lambda: self._table(run), console=self._console, refresh_per_second=8):
                yield
        else:
            yield
        word = "FAILED" if run.failed else "done"
        self._console.print(f"{run.key}   {word}   {time.monotonic() - began:.1f} s", soft_wrap=True)

    def started(self, task: TaskRun) -> None:
        """A task began."""
        if not self._live:
            self._line(task, "started")

    def ended(self, task: TaskRun) -> None:
        """A task is done, one way or another."""
        if not self._live:
            word = task.outcome or _WORDS.get(task.state, str(task.state))
            ran = task.state in {State.SUCCESS, State.FAILED} and not task.outcome
            self._line(task, f"{word}   {task.seconds:.1f} s" if ran else word)

    def _line(self, task: TaskRun, words: str) -> None:
        self._console.print(f"  {' ▸ '.join(task.path)}   {words}", soft_wrap=True, markup=False)

    def _table(self, run: JobRun) -> Table:
        table = Table.grid(padding=(0, 1))
        self._add_rows(table, run, 1)
        return table

    def _add_rows(self, table: Table, run: JobRun, depth: int) -> None:
        for task in run.tasks.values():
            table.add_row(self._mark(task), self._name(task, depth), *_details(task))
            if task.nested:
                self._add_rows(table, task.nested, depth + 1)

    def _mark(self, task: TaskRun) -> Text | Spinner:
        if task.state is State.RUNNING:
            return self._spinners.setdefault(task, Spinner("dots", style="cyan"))
        mark, style = _STYLES[task.state]
        return Text(mark, style=style)

    @staticmethod
    def _name(task: TaskRun, depth: int) -> Text:
        style = "" if task.state is State.RUNNING else _STYLES[task.state][1] * (task.state is not State.SUCCESS)
        return Text(" " * _INDENT * (depth - 1) + task.task.task_key, style=style)


def _details(task: TaskRun) -> tuple[str, str]:
    if task.state is State.RUNNING:
        return f"{time.monotonic() - task.began:5.1f} s", ""
    if task.outcome:
        return "", task.outcome
    if task.state in {State.SUCCESS, State.FAILED}:
        return f"{task.seconds:5.1f} s", f"attempt {task.attempts}" * (task.attempts > 1)
    return "", "" if task.state is State.PENDING else str(task.state).replace("_", " ")
