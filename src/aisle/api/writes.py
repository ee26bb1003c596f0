"""What became of something that was written."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["ACTOR_KINDS", "ActorKind", "ErasedDocument", "WriteDocument"]

ActorKind = Literal["user", "client", "session"]
"""What kind of id names an actor."""

ACTOR_KINDS: tuple[str, ...] = get_args(ActorKind)


class WriteDocument(BaseModel):
    """What became of one product or event."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"line": 1, "id": "B-1042", "status": "written", "offset": 81204, "problem": None},
                {
                    "line": 2,
                    "id": "B-1043",
                    "status": "refused",
                    "offset": None,
                    "problem": "title: This field is required.",
                },
            ]
        }
    )

    line: int = Field(description="Its place in the request, from 1.")
    id: str | None = Field(description="Id of the product or event; null where it could not be read.")
    status: Literal["written", "stale", "absent", "refused"] = Field(
        description="`written`: durable, and found by the next search. `stale`: what is there is newer. "
        "`absent`: deleted, but it was not there. "
        "`refused`: see `problem`."
    )
    offset: int | None = Field(default=None, description="Place in the journal; null where nothing was written.")
    problem: str | None = Field(
        default=None, description="What must hold, what was received, what to do; beside `written`, what was left out."
    )


class ErasedDocument(BaseModel):
    """What was erased of one actor."""

    kind: ActorKind
    id: str
    events: int = Field(description="Events taken out of the journal and of memory.")
