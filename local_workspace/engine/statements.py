"""SQL statements that Sail lacks or gets wrong, said in SQL that it knows; what it can't keep is kept beside the table."""

import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from local_workspace import delta_log
from local_workspace.engine.plans import name_parts

# Delta's readers leave files whose name begins with an underscore alone.
PROPERTIES_FILE = "_local_properties.json"
_NAME = r"(?P<name>(?:`[^`]+`|\w+)(?:\.(?:`[^`]+`|\w+))*)"
_PAIR = re.compile(r"'((?:[^'\\]|\\.)*)'\s*=\s*'((?:[^'\\]|\\.)*)'")
_PROPERTY = "key: string, value: string"
_COMMIT = (
    "version: bigint, timestamp: timestamp, operation: string, operationParameters: map<string,string>, "
    "operationMetrics: map<string,string>"
)


class Statements:
    """The statements about tables under one warehouse."""

    def __init__(self, warehouse: Path) -> None:
        """Takes the folder that holds a folder a schema."""
        self._warehouse = warehouse
        forms: Mapping[str, Callable[[re.Match[str]], str]] = {
            rf"CREATE\s+SCHEMA\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}": self._create_schema,
            rf"DROP\s+(?P<kind>TABLE|SCHEMA)\s+(?:IF\s+EXISTS\s+)?{_NAME}(?:\s+CASCADE)?": self._drop,
            rf"SHOW\s+TBLPROPERTIES\s+{_NAME}(?:\s*\(\s*'(?P<key>[^']+)'\s*\))?": self._show_properties,
            rf"ALTER\s+TABLE\s+{_NAME}\s+SET\s+TBLPROPERTIES\s*\((?P<pairs>.*)\)": self._set_properties,
            rf"USE\s+(?:(?:SCHEMA|DATABASE)\s+)?{_NAME}": self._use,
            rf"DESCRIBE\s+HISTORY\s+{_NAME}(?:\s+LIMIT\s+(?P<limit>\d+))?": self._history,
        }
        self._forms = {re.compile(form, re.I | re.S): answer for form, answer in forms.items()}

    def portable(self, statement: str) -> str:
        """The statement in words that Sail knows; one that it knows as it is stays as it is."""
        text = statement.strip().rstrip(";")
        for form, answer in self._forms.items():
            if found := form.fullmatch(text):
                return answer(found)
        return statement

    def _use(self, found: re.Match[str]) -> str:
        """There is one catalog, which Sail doesn't take in this statement."""
        return f"USE DATABASE `{name_parts(found['name'])[-1]}`"

    def _create_schema(self, found: re.Match[str]) -> str:
        # Without a location, Sail puts each table into a folder whose name can't be foreseen.
        location = (self._warehouse / f"{name_parts(found['name'])[-1]}.db").as_uri()
        return f"{found[0]} LOCATION '{location}'"

    def _drop(self, found: re.Match[str]) -> str:
        """Sail forgets the table and leaves its files, which the next process would find."""
        is_table = found["kind"].upper() == "TABLE"
        folder = self._folder(found["name"]) if is_table else self._warehouse / f"{name_parts(found['name'])[-1]}.db"
        if delta_log.is_table(folder) or not is_table:
            shutil.rmtree(folder, ignore_errors=True)
        return found[0]

    def _show_properties(self, found: re.Match[str]) -> str:
        folder = self._folder(found["name"])
        properties = delta_log.metadata(folder)["configuration"] | _kept(folder)
        shown = {found["key"]: properties.get(found["key"])} if found["key"] else properties
        return _rows(_PROPERTY, [{"key": key, "value": value} for key, value in shown.items()])

    def _set_properties(self, found: re.Match[str]) -> str:
        folder = self._folder(found["name"])
        kept = _kept(folder) | dict(_PAIR.findall(found["pairs"]))
        written = folder / f"{PROPERTIES_FILE}.new"
        written.write_text(json.dumps(kept), encoding="utf-8")
        written.replace(folder / PROPERTIES_FILE)
        return _rows(_PROPERTY, [])

    def _history(self, found: re.Match[str]) -> str:
        newest = delta_log.commits(self._folder(found["name"]))[::-1][: int(found["limit"] or 0) or None]
        return _rows(_COMMIT, [{"version": commit.version, **_info(commit)} for commit in newest])

    def _folder(self, name: str) -> Path:
        """The folder of a table, which must be named with its schema."""
        parts = name_parts(name)
        if len(parts) == 1:
            raise ValueError(f"'{name}' is named without its schema: say <schema>.{name}.")
        return self._warehouse / f"{parts[-2]}.db" / parts[-1]


def _kept(folder: Path) -> dict[str, str]:
    """The properties that are kept beside a table."""
    file = folder / PROPERTIES_FILE
    kept: dict[str, str] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return kept


def _info(commit: delta_log.Commit) -> dict[str, object]:
    moment = datetime.fromtimestamp(commit.info.get("timestamp", 0) / 1000, UTC)
    return commit.info | {"timestamp": f"{moment:%Y-%m-%d %H:%M:%S}"}


def _rows(columns: str, rows: Sequence[Mapping[str, object]]) -> str:
    """A query that gives these rows; as one text in JSON, so that no value is a part of the query."""
    text = json.dumps(rows).replace("\\", "\\\\").replace("'", "\\'")
    return f"SELECT inline(from_json('{text}', 'array<struct<{columns}>>'))"
