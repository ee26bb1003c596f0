"""What stands in the lines of a list: checked one by one, written together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from aisle.api import EventDocument, ProductDocument
from aisle.api.fields import Id
from aisle.api.limits import MAX_ID_CHARS
from aisle.core.errors import ServiceError, UsageError, WorkspaceError
from aisle.live import WriteResult
from aisle.serving.backend import ShopBackend
from aisle.serving.failures import LOGGER, log_failure
from aisle.serving.lines import Line
from aisle.serving.problems import FAILED, NO_STORE, NOT_DURABLE, tell_faults

__all__ = ["EventLines", "ProductLines", "refused"]


def refused(line: int, problem: str, *, of: str | None = None) -> WriteResult:
    """Return the result of a line that cannot be written."""
    return WriteResult(line=line, id=of, status="refused", problem=problem)


_Row = TypeVar("_Row")

_ID_FIELDS = ("product_id", "delete", "event_id")


class _Deletion(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    product_id: Id = Field(alias="delete")


class _NamedProduct(ProductDocument):
    product_id: Id


class ProductLines:
    """Writes lines that hold a product or `{"delete": ID}`, in their order.

    Args:
        backend: Where they are written.
    """

    def __init__(self, backend: ShopBackend) -> None:
        self._backend = backend

    def __call__(self, lines: Sequence[Line]) -> list[WriteResult]:
        """Write some lines and return one result each."""
        read = [_read(line, _read_product) for line in lines]
        results: list[WriteResult] = []
        # Neighbours of one kind are written together; a product that is put, deleted and put again ends up put.
        for _, run in groupby(read, key=type):
            some = list(run)
            rows = [one for one in some if isinstance(one, dict)]
            results += [one for one in some if isinstance(one, WriteResult)]
            results += (
                _written(self._backend.delete, ids) if (ids := [one for one in some if isinstance(one, str)]) else []
            )
            results += _written(self._backend.put, rows) if rows else []
        return results


class EventLines:
    """Writes lines that hold an event.

    Args:
        backend: Where they are written.
    """

    def __init__(self, backend: ShopBackend) -> None:
        self._backend = backend

    def __call__(self, lines: Sequence[Line]) -> list[WriteResult]:
        """Write some lines and return one result each."""
        read = [_read(line, _read_event) for line in lines]
        rows = [row for row in read if not isinstance(row, WriteResult)]
        written = iter(_written(self._backend.add_events, rows) if rows else [])
        return [row if isinstance(row, WriteResult) else next(written) for row in read]


def _read(line: Line, read: Callable[[Any], _Row]) -> _Row | WriteResult:
    """Read one line; what is wrong with it is a result."""
    assert line.text is not None
    try:
        document = from_json(line.text)
    except ValueError as error:
        return refused(line.number, f"A line must be JSON in UTF-8. Received: {error}. Check its syntax.")
    try:
        return read(document)
    except ValidationError as error:
        return refused(line.number, tell_faults(error.errors(include_url=False)), of=_id_of(document))


def _read_product(document: Any) -> dict[str, Any] | str:
    if isinstance(document, dict) and document.keys() == {"delete"}:
        return _Deletion.model_validate(document).product_id
    return _NamedProduct.model_validate(document).model_dump(mode="json", exclude_unset=True)


def _read_event(document: Any) -> dict[str, Any]:
    return EventDocument.model_validate(document).row()


def _id_of(document: Any) -> str | None:
    found = (document.get(name) for name in _ID_FIELDS) if isinstance(document, dict) else ()
    return next((one[:MAX_ID_CHARS] for one in found if isinstance(one, str)), None)


def _written(write: Callable[[Sequence[_Row]], list[WriteResult]], rows: Sequence[_Row]) -> list[WriteResult]:
    """Write rows; where all of them fail together, each one's result says so and the list goes on."""
    try:
        return write(rows)
    except UsageError as error:
        problem = str(error)
    except WorkspaceError as error:
        LOGGER.error("Changes could not be made durable: %s", error)
        problem = NOT_DURABLE
    except ServiceError as error:
        LOGGER.error("Changes could not be applied: %s", error)
        problem = NO_STORE
    except Exception as error:  # noqa: BLE001 - the answer has begun: a line is all that can still be told
        log_failure(LOGGER, error)
        problem = FAILED
    return [refused(0, problem, of=row if isinstance(row, str) else _id_of(row)) for row in rows]
