"""The store: every artifact lies under the hash of all that made it, whole or not at all."""

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from teachwhy.errors import StoreError
from teachwhy.hashing import canonical

_META = "node.json"


class Store:
    """Artifacts by kind and address below one root folder. A folder that holds ``node.json`` is whole."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        with storing(self.root):
            self.root.mkdir(parents=True, exist_ok=True)

    def path(self, kind: str, address: str) -> Path:
        """Where the artifact lies or will lie."""
        return self.root / kind / address[:16]

    def meta(self, kind: str, address: str) -> dict[str, Any] | None:
        """What is recorded of a finished artifact; None if it is not there.

        Raises:
            StoreError: the record is there and cannot be read, or is that of another artifact.
        """
        path = self.path(kind, address) / _META
        if not path.exists():
            return None
        try:
            meta: dict[str, Any] = json.loads(path.read_text("utf-8"))
        except (json.JSONDecodeError, UnicodeDecodeError):
            raise StoreError("the artifact's record is damaged", where=path, mend="remove its folder") from None
        if meta.get("address") != address:
            raise StoreError("the folder holds another artifact", where=path, mend="remove its folder")
        return meta

    @contextmanager
    def lock(self, kind: str, address: str) -> Iterator[None]:
        """Hold an artifact while it is made; a second run on the same store waits here."""
        path = self.path(kind, address)
        with storing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{path}.node-lock"):
                yield

    @contextmanager
    def making(self, kind: str, address: str, meta: dict[str, Any]) -> Iterator[Path]:
        """A fresh folder to write into; at the end it becomes the artifact, or vanishes after an error."""
        final = self.path(kind, address)
        with storing(final):
            final.parent.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix=f".{final.name}-", dir=final.parent))
            try:
                yield folder
                write_json(folder / _META, meta | {"address": address})
                shutil.rmtree(final, ignore_errors=True)  # a folder without its record, left by a kill
                folder.rename(final)
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def seal(self, kind: str, address: str, meta: dict[str, Any]) -> None:
        """Record a folder that was written whole by other means (training renames its own)."""
        write_json(self.path(kind, address) / _META, meta | {"address": address})


@contextmanager
def storing(where: Path) -> Iterator[None]:
    """Turn a full disk or a refused write into one of our errors."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        mend = (
            "free some space" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "choose another folder with --store"
        )
        raise StoreError(f"cannot write: {error.strerror}", where=error.filename or where, mend=mend) from error


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole: to a temporary name, flushed, then renamed."""
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, 0o644)
            os.replace(name, path)
        finally:
            Path(name).unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file whole."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file whole, indented; keys stay in their order (the order of arms has a meaning)."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write rows as JSON lines, whole."""
    write_text(path, "".join(f"{canonical(row)}\n" for row in rows))


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines."""
    # As bytes: in text, U+2028 and its like within a value would end a line.
    return [json.loads(line) for line in path.read_bytes().splitlines()]
