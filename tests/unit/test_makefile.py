"""The Makefile is read by make 3.81, which every Mac ships, and hands on what a person writes as it is.

GNU make's NEWS says what came later: several modifiers of a target's variable, `private`, `undefine`, `!=` and `define`
with an operator with 3.82, `$(file …)` and `::=` with 4.0.
"""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
LATER_THAN_3_81 = {
    "two modifiers of a target's variable": r"^[^\t#=]*:\s*(override|export|private)\s+(override|export|private)\b",
    "private": r"(^|:\s*)private\b",
    "undefine": r"^undefine\b",
    "!=": r"^[\w ]+!=",
    "::=": r"::=",
    ".ONESHELL": r"^\.ONESHELL",
    "$(file": r"\$\(file\b",
    "define with an operator": r"^define .*=",
}
# GNU's own: macOS has BSD's sed, date, touch and grep.
GNU_ALONE = {
    "sed -i": r"\bsed -i\b",
    r"\t in sed": r"\bsed '[^']*\\t",
    "grep -P": r"\bgrep -\w*P",
    "date -d": r"\bdate -d\b",
    "stat -c": r"\bstat (-c|--)",
    "readlink -f": r"\breadlink -\w*f",
    "xargs -r": r"\bxargs -\w*r",
    "sort -V": r"\bsort -\w*V",
    "head -n -N": r"\bhead -n ?-",
}


def make(*words: str, folder: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    """Says words, also where make itself has started these tests."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "--silent", *words]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)  # noqa: S603


def lines() -> list[str]:
    """Of the Makefile, and of the words that stand in the folders of what can be taken away."""
    files = [REPOSITORY / "Makefile", *REPOSITORY.glob("*/words.mk"), *REPOSITORY.glob("tests/*/words.mk")]
    return [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("feature", LATER_THAN_3_81)
def test_make_3_81_knows_what_is_used(feature: str) -> None:
    assert [line for line in lines() if re.search(LATER_THAN_3_81[feature], line)] == []


@pytest.mark.parametrize("command", GNU_ALONE)
def test_no_recipe_and_no_script_needs_gnu_s_tools(command: str) -> None:
    scripts = [
        script for folder in ("local_workspace", "tools", "tests") for script in (REPOSITORY / folder).rglob("*.sh")
    ]
    said = [*lines(), *(line for script in scripts for line in script.read_text(encoding="utf-8").splitlines())]
    assert [line for line in said if re.search(GNU_ALONE[command], line)] == []


def test_a_checkout_s_name_may_have_an_apostrophe(tmp_path: Path) -> None:
    folder = tmp_path / "o'brien's"
    folder.mkdir()
    (folder / "Makefile").write_text(f"include {REPOSITORY / 'Makefile'}\n", encoding="utf-8")
    command = make("--dry-run", "validate", folder=folder).stdout.splitlines()[-1]
    assert shlex.split(command)[0] == f"DATABRICKS_CLI={folder}/.tools/bin/databricks"


def test_each_rule_would_find_its_fault() -> None:
    faults = {
        "two modifiers of a target's variable": "rollback: override export REASON := $(value REASON)",
        "private": "run: private A := b",
        "undefine": "undefine A",
        "!=": "A != date",
        "::=": "A ::= b",
        ".ONESHELL": ".ONESHELL:",
        "$(file": "\t$(file >a,b)",
        "define with an operator": "define A =",
    }
    assert {name for name, line in faults.items() if re.search(LATER_THAN_3_81[name], line)} == set(LATER_THAN_3_81)


@pytest.mark.parametrize("word", ["REASON", "BY"])
@pytest.mark.parametrize(
    "text", ["wrong since Monday", "costs $5, 100 % of it", "say \"no\" and 'no'", "$(shell echo x) `id`"]
)
def test_what_a_person_writes_reaches_the_command_as_it_is(word: str, text: str, tmp_path: Path) -> None:
    printing = "said:\n\t@printenv " + word + "\n"
    (tmp_path / "Makefile").write_text(f"include {REPOSITORY / 'Makefile'}\n{printing}", encoding="utf-8")
    done = make("said", f"{word}={text}", folder=tmp_path)
    assert (done.stdout, done.stderr) == (f"{text}\n", "")


def test_help_names_each_word_that_is_meant_for_a_person() -> None:
    named = [line.split()[0] for line in make("help").stdout.splitlines()]
    assert sorted(named) == sorted(match[1] for line in lines() if (match := re.match(r"([a-z-]+):.*## ", line)))
    assert {"run", "test", "job", "rollback"} <= set(named)
