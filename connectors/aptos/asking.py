"""What became of a record that a full read of the feed did not bring: the CRM is asked for it by its number."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from connectors.aptos.translate_source import Reading, gone
from connectors.http import Door
from connectors.payload import canonical
from models.errors import Moved, Rejected
from models.landing import Deletion, Page, Refusal, SourceRecord

_PAGE = 200
_MERGES = 5
"""So many survivors that were merged away themselves are followed to the last one."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks for single records, where the map says by which address."""

    reading: Reading
    door: Door

    def pages(self, object_: str, source_ids: Sequence[str]) -> Iterator[Page]:
        """The record of each id, or that it is gone; 200 a page. Raises what a Door raises."""
        for begin in range(0, len(source_ids), _PAGE):
            answers = [self._answer(object_, source_id) for source_id in source_ids[begin : begin + _PAGE]]
            found = [one for one, _ in answers]
            yield Page(
                records=tuple(one for one in found if isinstance(one, SourceRecord)),
                refused=tuple(one for one in found if isinstance(one, Refusal)),
                correlation_id=answers[-1][1],
            )

    def _answer(self, object_: str, source_id: str) -> tuple[SourceRecord | Refusal, str]:
        """The record or its deletion, and the correlation id of the answer."""
        try:
            found, correlation_id = self._asked(object_, source_id)
        except Moved as moved:
            survivor = self._survivor(object_, moved.to)
            return self._gone(object_, source_id, survivor), moved.correlation_id or ""
        if found is None:
            return self._gone(object_, source_id, None), correlation_id
        if isinstance(found, SourceRecord) and found.key.source_id != source_id:
            return self._gone(object_, source_id, found.key.source_id), correlation_id
        return found, correlation_id

    def _asked(self, object_: str, source_id: str) -> tuple[SourceRecord | Refusal | None, str]:
        """What the CRM has under a number; None if it has nothing."""
        lookup = str(self.reading.map.objects[object_].lookup)
        answer = self.door.get(lookup.format(id=quote(source_id, safe="")), shown_as=lookup)
        if answer.status in {404, 410}:
            return None, answer.correlation_id
        if answer.status >= 400:
            message = f"{answer.asked}: answered {answer.status}"
            raise Rejected(message, correlation_id=answer.correlation_id, code=str(answer.status))
        found = self.reading.read(object_, canonical(answer.json()))
        return (found if isinstance(found, SourceRecord | Refusal) else None), answer.correlation_id

    def _survivor(self, object_: str, heir: str | None) -> str | None:
        """The record that took the place of a merged one: what we merged ourselves names a profile, which is none."""
        for _ in range(_MERGES):
            if heir is None:
                return None
            try:
                found, _ = self._asked(object_, heir)
            except Moved as moved:
                heir = moved.to
                continue
            is_live = isinstance(found, SourceRecord) and not isinstance(found.body, Deletion)
            return found.key.source_id if is_live and isinstance(found, SourceRecord) else None
        return None

    def _gone(self, object_: str, source_id: str, survivor: str | None) -> SourceRecord | Refusal:
        found = self.reading.read(object_, gone(source_id, survivor))
        assert isinstance(found, SourceRecord)
        return found
