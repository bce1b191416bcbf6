"""What an API remembers: JSON documents by name, a file each, so that other processes see them too."""

import json
import os
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

    def stamp(self) -> object:
        """Another one whenever a document has been written or deleted; cheap enough to be asked at each request."""
        if not self.folder.is_dir():
            return ()
        with os.scandir(self.folder) as entries:
            found = ((entry.name, entry.stat()) for entry in entries if entry.name.endswith(".json"))
            return frozenset((name, status.st_ino, status.st_mtime_ns) for name, status in found)

    def _file(self, name: str) -> Path:
        # A name may come from a URL: quoted, it can't lead out of the folder.
        return self.folder / f"{quote(name, safe='')}.json"
