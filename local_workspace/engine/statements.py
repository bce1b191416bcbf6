"""SQL statements that Sail lacks or gets wrong, in SQL that it knows; what it can't keep is kept beside the table."""

import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pyspark.errors import AnalysisException

from local_workspace import delta_log
from local_workspace.engine.plans import name_parts, tokens_of

# As Sail's option of a table has it, in bytes. A merge writes each file again that has a row of it: of small files,
# those with old rows are soon touched by none.
FILE_SIZE = {"targetFileSize": "1000000"}
# Delta's readers leave files whose name begins with an underscore alone.
PROPERTIES_FILE = "_local_properties.json"
_NAME = r"(?P<name>(?:`[^`]+`|\w+)(?:\.(?:`[^`]+`|\w+))*)"
_SCHEMA = r"(?:SCHEMA|DATABASE)"
_COMMENTS = re.compile(r"(?:\s*(?:--[^\n]*\n|/\*.*?\*/))*", re.S)
_TEXT = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[\w.-]+"""
_PAIR = re.compile(rf"({_TEXT})\s*=\s*({_TEXT})", re.S)
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
            rf"CREATE\s+{_SCHEMA}\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}(?:\s.*)?": self._create_schema,
            rf"CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}\s+USING\s+DELTA(?P<at>\s+LOCATION.*)": self._register,
            rf"DROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?{_NAME}(?:\s+PURGE)?": self._drop_table,
            rf"DROP\s+{_SCHEMA}\s+(?:IF\s+EXISTS\s+)?{_NAME}(?P<all>\s+CASCADE)?": self._drop_schema,
            rf"SHOW\s+TBLPROPERTIES\s+{_NAME}(?:\s*\(\s*'(?P<key>[^']+)'\s*\))?": self._show_properties,
            rf"ALTER\s+TABLE\s+{_NAME}\s+SET\s+TBLPROPERTIES\s*\((?P<pairs>.*)\)": self._set_properties,
            rf"USE\s+(?:(?:SCHEMA|DATABASE)\s+)?{_NAME}": self._use,
            rf"OPTIMIZE\s+{_NAME}": self._optimize,
            rf"DESC(?:RIBE)?\s+HISTORY\s+{_NAME}(?:\s+LIMIT\s+(?P<limit>\d+))?": self._history,
        }
        self._forms = {re.compile(form, re.I | re.S): answer for form, answer in forms.items()}

    def portable(self, statement: str) -> str:
        """The statement in words that Sail knows; one that it knows as it is stays as it is."""
        text = _COMMENTS.sub("", statement, count=1).strip().rstrip("; \n")
        for form, answer in self._forms.items():
            if found := form.fullmatch(text):
                return answer(found)
        return statement

    def _use(self, found: re.Match[str]) -> str:
        """There is one catalog, which Sail doesn't take in this statement."""
        return f"USE DATABASE `{name_parts(found['name'])[-1]}`"

    def _create_schema(self, found: re.Match[str]) -> str:
        if "LOCATION" in map(str.upper, tokens_of(found[0])):
            return found[0]
        # Without a location, Sail puts each table into a folder whose name can't be foreseen.
        return f"{found[0]} LOCATION '{self._schema_folder(name_parts(found['name'])[-1]).as_uri()}'"

    def _register(self, found: re.Match[str]) -> str:
        options = ", ".join(f"{name}='{value}'" for name, value in FILE_SIZE.items())
        return f"{found[0].removesuffix(found['at'])} OPTIONS ({options}){found['at']}"

    def _drop_table(self, found: re.Match[str]) -> str:
        """Sail forgets the table and leaves its files, which the next process would find."""
        folder = self._folder(found["name"])
        if delta_log.is_table(folder):
            shutil.rmtree(folder)
        return found[0]

    def _drop_schema(self, found: re.Match[str]) -> str:
        folder = self._schema_folder(name_parts(found["name"])[-1])
        if folder.exists() and (found["all"] or not any(folder.iterdir())):
            shutil.rmtree(folder)
        return found[0]

    def _show_properties(self, found: re.Match[str]) -> str:
        folder = self._table(found["name"])
        properties = delta_log.metadata(folder)["configuration"] | _kept(folder)
        shown = {found["key"]: properties.get(found["key"])} if found["key"] else properties
        return _rows(_PROPERTY, [{"key": key, "value": value} for key, value in shown.items()])

    def _set_properties(self, found: re.Match[str]) -> str:
        folder = self._table(found["name"])
        kept = _kept(folder) | {_plain(key): _plain(value) for key, value in _PAIR.findall(found["pairs"])}
        written = folder / f"{PROPERTIES_FILE}.new"
        written.write_text(json.dumps(kept), encoding="utf-8")
        written.replace(folder / PROPERTIES_FILE)
        return _rows(_PROPERTY, [])

    def _optimize(self, found: re.Match[str]) -> str:
        return f"INSERT OVERWRITE TABLE {found['name']} SELECT * FROM {found['name']}"  # noqa: S608 (a name, as the form says)

    def _history(self, found: re.Match[str]) -> str:
        newest = delta_log.commits(self._table(found["name"]))[::-1][: int(found["limit"] or 0) or None]
        return _rows(_COMMIT, [{"version": commit.version, **_info(commit)} for commit in newest])

    def _table(self, name: str) -> Path:
        """The folder of a table that there is."""
        folder = self._folder(name)
        if not delta_log.is_table(folder):
            raise AnalysisException(
                message=f"There is no table {name} in the warehouse.",
                errorClass="TABLE_OR_VIEW_NOT_FOUND",
            )
        return folder

    def _folder(self, name: str) -> Path:
        """The folder of a table, which must be named with its schema."""
        parts = name_parts(name)
        if len(parts) == 1:
            raise ValueError(f"'{name}' has no schema: write <schema>.{name}.")
        return self._schema_folder(parts[-2]) / _folder_name(parts[-1])

    def _schema_folder(self, schema: str) -> Path:
        return self._warehouse / f"{_folder_name(schema)}.db"


def _folder_name(name: str) -> str:
    """A name as that of a folder: other signs than these would lead elsewhere, or Sail would write them differently."""
    if not re.fullmatch(r"[\w-]+", name, re.ASCII):
        raise ValueError(f"'{name}' is not a valid name: the local engine allows only letters, digits, _ and -.")
    return name


def _plain(text: str) -> str:
    """A text of SQL without its quotes."""
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text[0] in "'\"" else text


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
