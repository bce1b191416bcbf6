"""What a rehearsal does in place of steps that only bring a machine or its tools: each by name, others are an error."""

import os
import shlex
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from tests.cicd.repository import git

if TYPE_CHECKING:
    from tests.cicd.executor import Machine
    from tests.cicd.workflow import Step

# Words that need JVM Spark, and with it Java.
JVM_WORDS = ("make engines", "make test-connect")
NOT_REHEARSED = f"not rehearsed, as JVM Spark is not installed: {', '.join(JVM_WORDS)}"

# Words that touch no workspace: run once for each tree, whichever system asks.
OFFLINE_WORDS = ("make lint", "make unit", "make integration", "make bundle-test", *JVM_WORDS)

# The whole of these takes many minutes, and `make test` runs it anyway. Here the real words run, with the real tests,
# but few of them (the others are not even collected); REHEARSE=whole runs all.
SELECTIONS = (
    {}
    if os.environ.get("REHEARSE") == "whole"
    else {
        "make unit": "-k 'test_gates.py or test_slices.py' --ignore-glob='tests/unit/[!v]*'",
        "make integration": "-k 'two_commands or test_feed.py'",
        "make bundle-test": "-k two_suffixes",
        "make engines": "-k comparison",
        "make test-connect": "-k test_rows.py --ignore-glob='tests/unit/[!p]*' --ignore='tests/integration'",
    }
)

# A machine has no Java until a step brings it: this one's is hidden, wherever it is.
NO_JAVA = {"JAVA_HOME": "/no/java/was/set/up"}
JAVA = {"JAVA_HOME": os.environ.get("JAVA_HOME", "")}

# A checkout alone can read nothing more from its origin, nor push, until git has the job's token.
_UNREACHABLE = "https://repository.invalid/arrival-delay.git"


def check_out(machine: "Machine", step: "Step") -> None:
    """A clean clone of the event's commit, as deep as the step says."""
    event, root, origin = machine.position.event, machine.root, machine.site.origin.bare.as_uri()
    depth = step.inputs.get("fetch-depth", step.inputs.get("fetchDepth", "1"))
    git(root, "init", "--quiet")
    git(root, "remote", "add", "origin", _UNREACHABLE)
    deep = ["--depth", depth] if depth != "0" else []
    everything = [] if deep else ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"]
    git(root, "fetch", "--quiet", *deep, origin, event.commit, *everything)
    git(root, "checkout", "--quiet", "--detach", event.commit)
    if step.inputs.get("persistCredentials") == "true":
        give_git_the_token(machine)


def give_git_the_token(machine: "Machine") -> None:
    """Git reaches the origin from now on; it pushes when the token may."""
    origin = machine.site.origin.bare.as_uri()
    reach = {f"url.{origin}.insteadOf": _UNREACHABLE}
    if "push" not in machine.system.rights(machine.position):
        reach["remote.origin.pushurl"] = "https://read-only.invalid/arrival-delay.git"
    machine.brought["GIT_CONFIG_COUNT"] = str(len(reach))
    for number, (key, value) in enumerate(reach.items()):
        machine.brought |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}


def restore_packages(machine: "Machine", step: "Step") -> None:
    """The environment of the checkout under test, in place of one made from cached packages."""
    _link(machine, ".venv")


def bring_java(machine: "Machine", step: "Step") -> None:
    """The Java of this machine, and the environments of the checkout under test that are of use with it alone."""
    machine.brought |= JAVA
    if machine.site.jvm:
        _link(machine, ".venv-spark")
        _link(machine, ".venv-connect")


def restore_tools(machine: "Machine", step: "Step") -> None:
    """What the checkout under test has built with Go, in place of building it again."""
    (machine.root / ".tools").mkdir(exist_ok=True)
    _link(machine, ".tools/bin")


def restore_cache(machine: "Machine", step: "Step") -> None:
    """The cache that the step names."""
    if step.inputs["path"] == ".tools/bin":
        restore_tools(machine, step)
    else:
        restore_packages(machine, step)


def nothing(machine: "Machine", step: "Step") -> None:
    """The tool is on this machine."""


def _link(machine: "Machine", name: str) -> None:
    source, target = machine.site.checkout / name, machine.root / name
    assert source.exists(), f"{source} is not there"
    if not target.exists():
        target.symlink_to(source)
    # A cache is older than what was checked out; make would bring it up to date, and find nothing to do.
    for file in machine.root.glob("requirements/*.txt"):
        os.utime(file, (0, 0))
    for file in machine.root.glob("local_workspace/**/*.sh"):
        os.utime(file, (0, 0))


USES: Mapping[str, Callable[["Machine", "Step"], None]] = {
    "actions/checkout": check_out,
    "actions/setup-python": nothing,
    "actions/setup-java": bring_java,
    "actions/setup-go": nothing,
    "actions/cache": restore_cache,
    "checkout": check_out,
    "UsePythonVersion": nothing,
    "JavaToolInstaller": bring_java,
    "GoTool": nothing,
    "Cache": restore_cache,
}


def set_up_git(machine: "Machine", command: str, env: Mapping[str, str]) -> tuple[int, str]:
    """`gh auth setup-git`: git asks gh for the token."""
    if not env.get("GH_TOKEN"):
        return 4, "gh has no token"
    give_git_the_token(machine)
    return 0, ""


def dispatch(machine: "Machine", command: str, env: Mapping[str, str]) -> tuple[int, str]:
    """`gh workflow run`: kept, for the test to run."""
    if "dispatch" not in machine.system.rights(machine.position) or not env.get("GH_TOKEN"):
        return 1, "the token may not start workflows"
    machine.outcome.dispatched.append(shlex.split(command)[3])
    return 0, ""


COMMANDS: Mapping[str, Callable[["Machine", str, Mapping[str, str]], tuple[int, str]]] = {
    "gh auth setup-git": set_up_git,
    "gh workflow run": dispatch,
}
