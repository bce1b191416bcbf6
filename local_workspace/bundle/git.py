"""`${bundle.git.*}`: what the CLI reads off the repository that the bundle lies in."""

import subprocess
from pathlib import Path

_COMMANDS = {
    "branch": ("rev-parse", "--abbrev-ref", "HEAD"),
    "commit": ("rev-parse", "HEAD"),
    "origin_url": ("config", "--get", "remote.origin.url"),
}


def describe_git(root: Path) -> dict[str, str]:
    """Branch, commit and origin; each empty where there is none, as in a bundle that is no repository."""
    return {name: _git(root, *command)[0] for name, command in _COMMANDS.items()}


def why_no_commit(root: Path) -> str:
    """What git says of a folder that it tells no commit of, in a line; it distrusts a folder of another owner."""
    return _git(root, *_COMMANDS["commit"])[1].partition("\n")[0]


def _git(root: Path, *arguments: str) -> tuple[str, str]:
    """What git answers, empty if it fails, and what it complains of."""
    try:
        done = subprocess.run(  # noqa: S603 (fixed words; no shell)
            ["git", "-C", str(root), *arguments],  # noqa: S607 (the user's own git)
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return "", "git was not found"
    return (done.stdout.strip() if done.returncode == 0 else ""), done.stderr.strip()
