"""The ground that every model stands on."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict


class Frozen(BaseModel):
    """An immutable value. Unknown fields are refused, so a misspelt field is an error and not a loss."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Words = dict[str, Any]
"""What a model says, by its fields. A model and all that it holds are made of them in one go, which is twice as fast as
one by one; a field that the model does not have is refused here as there."""


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is UTC:
        return moment  # what connectors mostly hand over: nothing to work out, millions of times
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone; the connector knows which one the source means")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("beyond the calendar once it is in UTC") from None


Moment = Annotated[datetime, AfterValidator(_in_utc)]
"""A point in time, always kept in UTC. A time without a zone is refused."""
