"""What documents say is there: commands of the CLI, links, branches, and what the README's pictures show."""

import re
import subprocess
from pathlib import Path

import pytest

from project.tables import Tables
from tools.pictures import PICTURES, SYSTEM, find_browser, take

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted((REPOSITORY / "docs").glob("*.md"))
# Group, subgroup and command: words before the first argument, of which none is in capitals, quoted or a flag.
_COMMAND = re.compile(r"(?:^|[\s`(])databricks ((?:[a-z][a-z-]+ )*[a-z][a-z-]+)(?=[\s`])([^\n`|]*)")


def commands() -> list[tuple[str, str, str]]:
    """Document, words and the rest of each command of the Databricks CLI."""
    found = []
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8").replace("\\\n", " ")
        found += [(document.name, words, rest) for words, rest in _COMMAND.findall(text)]
    return found


def words_of(words: str) -> list[str]:
    """The command's own words: what follows them, such as `catalog` in `grants get catalog`, is an argument."""
    first = words.split()
    return first[:3] if first[0] == "account" else first[: 1 if first[0] == "bundle" and len(first) == 1 else 2]


@pytest.mark.parametrize(
    ("document", "words", "rest"),
    [pytest.param(*one, id=f"{one[0]} {number}: {one[1]}") for number, one in enumerate(commands())],
)
def test_the_cli_knows_the_command(cli: Path, document: str, words: str, rest: str) -> None:
    asked = [str(cli / "databricks"), *words_of(words), "--help"]
    help_text = subprocess.run(asked, capture_output=True, text=True, check=True).stdout  # noqa: S603
    assert f"databricks {' '.join(words_of(words))}" in help_text, help_text
    for flag in re.findall(r"(?<=\s)--[a-z-]+|(?<=\s)-[a-z](?=\s)", rest.split("'", maxsplit=1)[0]):
        assert re.search(rf"(^|\s){flag}\b", help_text), (document, words, flag)


def test_commands_are_found() -> None:
    assert {document for document, _, _ in commands()} >= {file.name for file in DOCUMENTS if "setup" in file.name}
    assert len(commands()) > 20


# Links and pictures.
_LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)|<img src=\"([^\"]+)")


def test_links_lead_to_files() -> None:
    adapt = (REPOSITORY / "docs/adapt.md").read_text(encoding="utf-8")
    may_be_gone = {path for part in re.findall(r"`git rm -r ([^`]+)`", adapt) for path in part.split()}
    for document in sorted([*REPOSITORY.glob("*.md"), *DOCUMENTS, *REPOSITORY.glob("[a-z]*/**/README.md")]):
        for link in map("".join, _LINK.findall(document.read_text(encoding="utf-8"))):
            file = (document.parent / link).resolve()
            assert file.exists() or str(file.relative_to(REPOSITORY)) in may_be_gone, (document.name, link)


def test_the_system_s_picture_has_the_jobs_and_tables_that_there_are() -> None:
    page = (PICTURES / "system.html").read_text(encoding="utf-8")
    jobs = {file.name.removesuffix(".job.yml") for file in REPOSITORY.glob("resources/*.job.yml")}
    assert set(re.findall(r'class="(?:box )?job">\s*(?:<h3>)?(\w+)', page)) == jobs
    names = Tables("c", "s")
    shared = {getattr(names, name) for name, value in vars(Tables).items() if isinstance(value, property)}
    tables = {name.split(".")[-1].strip("`") for name in shared - {names.full_schema}}
    assert set(re.findall(r"<code>(\w+)</code>", page)) == tables


def test_pictures_are_small_and_made_of_their_source(tmp_path: Path) -> None:
    assert all(picture.stat().st_size < 300_000 for picture in PICTURES.glob("*.png"))
    if find_browser() is None:
        pytest.skip("no browser here")
    take(PICTURES / "system.html", tmp_path / "system.png", SYSTEM)
    # A picture's header: its width and height.
    made, kept = ((folder / "system.png").read_bytes()[16:24] for folder in (tmp_path, PICTURES))
    assert made == kept


# A branch in a trigger, in a command, or in the script's own list.
_BRANCHES = re.compile(r"(?:branches|include): \[([\w, ]+)\]|--ref (\w+)|\b\w+=(main|release|green)\b")


def test_each_file_that_names_a_branch_is_listed_with_it() -> None:
    named: dict[str, set[str]] = {}
    for file in [
        *REPOSITORY.glob(".github/workflows/*.yml"),
        *REPOSITORY.glob(".azure/*.yml"),
        *REPOSITORY.glob("tools/*.sh"),
    ]:
        for groups in _BRANCHES.findall(file.read_text(encoding="utf-8")):
            for branch in ",".join(filter(None, groups)).split(","):
                named.setdefault(branch.strip(), set()).add(str(file.relative_to(REPOSITORY)))
    rows = re.findall(
        r"^\| `(\w+)` \| (.*) \|$", (REPOSITORY / "docs/cicd.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    listed = {branch: re.findall(r"`([^`]+)`", files) for branch, files in rows}
    # A system that was taken away took its files along.
    assert {
        branch: {file for file in files if (REPOSITORY / file).exists()} for branch, files in listed.items()
    } == named
