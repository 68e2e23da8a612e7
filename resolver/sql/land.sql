-- name: watermark
-- One row at most: up to when everything of this source and object is on disk.
select until from derived.watermark where source = $source and object = $object

-- name: append_records
-- The records of a page that are new: a byte-identical payload with the same time of change lands once.
insert into ledger.source_record
    (record, source, object, source_id, content_hash, raw, kind, body, changed_at, fetched_at, run_id, correlation_id)
select record, source, object, source_id, content_hash, raw, kind, body, changed_at, $fetched_at, $run_id, $correlation_id
from (from page_records qualify row_number() over (partition by record, content_hash, changed_at order by position) = 1) p
where not exists (
    from ledger.source_record known
    where known.record = p.record and known.content_hash = p.content_hash
      and known.changed_at is not distinct from p.changed_at
)
order by position

-- name: append_refusals
-- The refusals of a page whose payload was not refused before, or was accepted since.
insert into ledger.quarantine
    (source, object, source_id, content_hash, raw, state, reasons, recorded_at, run_id, correlation_id)
select source, object, source_id, content_hash, raw, 'refused', reasons, $fetched_at, $run_id, $correlation_id
from (from page_refusals qualify row_number() over (partition by source, object, content_hash order by position) = 1) p
where not exists (
    from (
        select source, object, content_hash, max_by(state, fact) as state from ledger.quarantine group by all
    ) known
    where known.source = p.source and known.object = p.object and known.content_hash = p.content_hash
      and known.state = 'refused'
)
order by position

-- name: close_window
-- One row: the window is whole on disk.
insert into ledger.landing (source, object, since, until, pages, landed, refused, known, run_id, recorded_at)
values ($source, $object, $since, $until, $pages, $landed, $refused, $known, $run_id, $recorded_at)

-- name: waiting_refusals
-- What waits in quarantine for this source.
select object, raw, source_id, content_hash from derived.rejected where source = $source order by fact

-- name: accept
-- One row: this refused payload has been read after a fix.
insert into ledger.quarantine
    (source, object, source_id, content_hash, raw, state, reasons, recorded_at, run_id, correlation_id)
values ($source, $object, $source_id, $content_hash, $raw, 'accepted', '[]', $recorded_at, $run_id, $correlation_id)
