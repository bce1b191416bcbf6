"""The repository that a rehearsal works on: a bare origin with the commit under test, and what people push to it."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_PERSON = {"NAME": "A person", "EMAIL": "person@example.com", "DATE": "2026-01-01T00:00:00Z"}
# The same person at the same moment: the same change is the same commit in each system's repository.
_IDENTITY = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _PERSON.items()}


def git(folder: Path, *words: str) -> str:
    """What git prints; its failure is an error."""
    done = subprocess.run(  # noqa: S603 (no shell)
        ["git", "-C", str(folder), *words],  # noqa: S607 (whichever git there is)
        env={**os.environ, **_IDENTITY},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"git {' '.join(words)}: {done.stderr}"
    return done.stdout.strip()


@dataclass(frozen=True)
class Origin:
    """The bare repository, and a clone in which people work."""

    bare: Path
    work: Path
    files: Path  # of the commit under test, which is not what its checkout may hold besides

    @classmethod
    def of(cls, checkout: Path, folder: Path) -> "Origin":
        """An origin whose main is the checkout's HEAD."""
        bare, work, files = folder / "origin.git", folder / "work", folder / "files"
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
        # A full clone even of a shallow checkout: what is not here can't be served.
        git(checkout, "push", "--quiet", bare.as_uri(), "HEAD:refs/heads/main")
        for clone in (work, files):
            git(folder, "clone", "--quiet", str(bare), str(clone))
        # Servers of both systems hand out a commit that no branch names any more.
        git(bare, "config", "uploadpack.allowAnySHA1InWant", "true")
        return cls(bare, work, files)

    def head(self, ref: str) -> str:
        """The commit of a branch or tag; empty when there is none."""
        return git(self.bare, "for-each-ref", "--format=%(objectname)", ref)

    def tags(self) -> list[str]:
        return git(self.bare, "tag", "--list").splitlines()

    def commit(self, parent: str, message: str, changes: dict[str, str]) -> str:
        """A commit on top of another, with files written anew."""
        git(self.work, "fetch", "--quiet", "origin")
        git(self.work, "checkout", "--quiet", "--force", "--detach", parent)
        for path, content in changes.items():
            file = self.work / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
        git(self.work, "add", "--all")
        git(self.work, "commit", "--quiet", "--message", message)
        return git(self.work, "rev-parse", "HEAD")

    def pull_request(self, number: int, head: str) -> str:
        """The merge of a pull request's commit with main, where both systems put it."""
        main = self.head("refs/heads/main")
        git(self.work, "checkout", "--quiet", "--force", "--detach", main)
        git(self.work, "merge", "--quiet", "--no-ff", "--message", f"Merge of {number}", head)
        merge = git(self.work, "rev-parse", "HEAD")
        self.push(merge, f"refs/pull/{number}/merge")
        return merge

    def push(self, commit: str, ref: str) -> None:
        git(self.work, "push", "--quiet", "--force", str(self.bare), f"{commit}:{ref}")

    def text(self, commit: str, path: str) -> str:
        return git(self.bare, "show", f"{commit}:{path}") + "\n"
