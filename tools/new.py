"""A new project out of this one: `make new NAME=churn CATALOG=ml DIRECTORY=../churn [SAMPLE=small]`.

Writes a copy of the repository without its history, under another name everywhere, and lists what is left to fill in.
Needs nothing but Python and git.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

REPOSITORY = Path(__file__).resolve().parent.parent
STEPS = "FIRST_STEPS.md"
_NAME = re.compile(r"[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*")
_CATALOG = re.compile(r"[^./`\x00-\x20\x7f$\"'#:]{1,255}")
_OF_USE_CASES = ("use_case/", "tests/use_case/", "samples/")
_STEPS = """# First steps

Tick a box when it is done (`- [x]`). As long as one is open, `make validate`, `plan` and `deploy` refuse the targets
staging and prod; all else works.

- [ ] use case: replace the sample in `use_case/` and `tests/use_case/` by your own (docs/adapt.md, `make config`)
- [ ] thresholds: the gates and checks of `use_case/config.yml` are those of the sample; set them from a run of your own
- [ ] owners: name your team in `.github/CODEOWNERS`, and the licence of your own code in `LICENSE`
- [ ] CI: delete the system that you don't use (docs/adapt.md), and set up the other (docs/setup-*.md)
- [ ] workspaces: catalogs, groups and the service principals of staging and prod (docs/setup-databricks.md)
"""
_CHANGES = """# Changes

What a team that deploys this has to know of a change, the newest first.
"""


def main() -> None:
    """Reads the command line, writes the copy, says what is left."""
    parser = argparse.ArgumentParser(prog="new", description=__doc__)
    for name in ("name", "catalog", "directory"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--sample", default="", help="a folder of samples/: its use case takes the place of this one")
    given = parser.parse_args()
    target = Path(given.directory).resolve()
    check(given.name, given.catalog, target, given.sample)
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place, so that what is cut off leaves nothing there.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as made:
        copy = Path(made) / target.name
        write(copy, given.name, given.catalog, given.sample)
        copy.rename(target)
    print(f"{target} is a project of its own. Next: cd {target} && make run && make test\nTo fill in ({STEPS}):")
    for line in (target / STEPS).read_text(encoding="utf-8").splitlines():
        if line.startswith("- [ ]"):
            print(line.replace("- [ ]", "  -"))


def check(name: str, catalog: str, target: Path, sample: str) -> None:
    """Ends this process where something can't be done, before anything is written."""
    if not _NAME.fullmatch(name):
        fail(f"NAME is '{name}', and must be lower-case letters and digits, with _ or - between, such as churn.")
    if not _CATALOG.fullmatch(catalog):
        fail(f"CATALOG is '{catalog}', and must be the name of a catalog of Unity Catalog, such as ml.")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        fail(f"{target} is there already, and stays as it is: name a DIRECTORY that is not there.")
    if target.is_relative_to(REPOSITORY):
        fail(f"{target} is inside this repository: name a DIRECTORY beside it.")
    if sample and not (REPOSITORY / "samples" / sample / "use_case").is_dir():
        known = ", ".join(sorted(folder.name for folder in (REPOSITORY / "samples").iterdir() if folder.is_dir()))
        fail(f"there is no SAMPLE '{sample}'; there are {known}.")


def write(copy: Path, name: str, catalog: str, sample: str) -> None:
    """Writes the copy: files that git knows, with their names and texts changed, and the sample's use case."""
    words = renamed(own_name(), name)
    for relative in tracked():
        if sample and relative.startswith(_OF_USE_CASES[:2]):
            continue
        # The use case's own words are about what it predicts, and not about the project.
        place(REPOSITORY / relative, copy / relative, {} if relative.startswith(_OF_USE_CASES) else words)
    if sample:
        for source, goes_to in (("use_case", "use_case"), ("tests", "tests/use_case")):
            folder = f"samples/{sample}/{source}/"
            for relative in tracked():
                if relative.startswith(folder):
                    place(REPOSITORY / relative, copy / goes_to / relative.removeprefix(folder), {})
    bundle = copy / "databricks.yml"
    text = bundle.read_text(encoding="utf-8")
    bundle.write_text(re.sub(r"(?m)^( +)catalog: \S+$", rf'\1catalog: "{catalog}"', text), encoding="utf-8")
    (copy / "CHANGELOG.md").write_text(_CHANGES, encoding="utf-8")
    (copy / STEPS).write_text(_STEPS, encoding="utf-8")
    begin_history(copy)


def own_name() -> str:
    """The bundle's name here."""
    found = re.search(r"(?m)^bundle:\n(?:  .*\n)*?  name: (\S+)$", (REPOSITORY / "databricks.yml").read_text("utf-8"))
    if found is None:
        fail("databricks.yml has no bundle.name.")
    return found[1]


def renamed(old: str, new: str) -> Mapping[str, str]:
    """The name as a bundle, as a package, as words, and as the start of a sentence: the old forms and the new."""
    forms = {}
    for one, other in ((old, new), (old.capitalize(), new.capitalize())):
        for sign in ("_", "-", " "):
            forms[re.sub("[_-]", sign, one)] = re.sub("[_-]", sign, other)
    return forms


def place(source: Path, target: Path, words: Mapping[str, str]) -> None:
    """Copies a file; words of a text are changed, a picture is not."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
    try:
        text = target.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return
    changed = re.sub("|".join(map(re.escape, words)), lambda found: words[found[0]], text) if words else text
    if changed != text:
        target.write_text(changed, encoding="utf-8", newline="")


def tracked() -> list[str]:
    """The files that git knows, as they are on disk."""
    listed = _git(REPOSITORY, "ls-files", "-z").split("\0")
    return [name for name in listed if name and (REPOSITORY / name).is_file()]


def begin_history(copy: Path) -> None:
    """One commit, by who calls; where git knows nobody, the files are staged."""
    _git(copy, "init", "--quiet", "--initial-branch", "main")
    _git(copy, "add", "--all")
    committed = subprocess.run(  # noqa: S603 (git, with words of our own)
        ["git", "commit", "--quiet", "--message", f"{copy.name}: a project of its own"],  # noqa: S607
        cwd=copy,
        capture_output=True,
        check=False,
    )
    if committed.returncode:
        print(f"Nothing is committed yet, as git knows no user: git -C {copy.name} commit", file=sys.stderr)


def fail(sentence: str) -> NoReturn:
    """Ends this process with one sentence."""
    print(f"error: {sentence}", file=sys.stderr)
    sys.exit(1)


def _git(folder: Path, *words: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603, S607
    except FileNotFoundError:
        fail("git was not found: install it.")
    if done.returncode:
        fail(f"git {words[0]} failed: {done.stderr.strip()}")
    return done.stdout


if __name__ == "__main__":
    main()
