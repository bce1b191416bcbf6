"""What an API remembers: JSON documents by name, a file each, so that other processes see them too."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote
from uuid import uuid4


@dataclass(frozen=True)
class Documents:
    """The documents of one kind, in a folder of their own."""

    folder: Path

    def get(self, name: str) -> dict[str, Any] | None:
        """The document of a name; None where there is none."""
        try:
            document: dict[str, Any] = json.loads(self._file(name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return document

    def put(self, name: str, document: dict[str, Any]) -> None:
        """Writes a document, or another in its place: a reader sees the one or the other whole."""
        self.folder.mkdir(parents=True, exist_ok=True)
        new = self.folder / f"{uuid4().hex}.new"
        new.write_text(json.dumps(document, indent=1), encoding="utf-8")
        new.replace(self._file(name))

    def delete(self, name: str) -> None:
        """Removes a document, if it is there."""
        self._file(name).unlink(missing_ok=True)

    def names(self) -> Iterator[str]:
        """The names of all documents, in order."""
        for file in sorted(self.folder.glob("*.json")):
            yield unquote(file.stem)

    def _file(self, name: str) -> Path:
        # A name may come from a URL: quoted, it can't lead out of the folder.
        return self.folder / f"{quote(name, safe='')}.json"
