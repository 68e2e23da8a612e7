-- name: watermark
-- One row at most: up to when everything of this source and object is on disk.
select until from derived.watermark where source = $source and object = $object

-- name: seen
-- One row: up to which fact `known` has heard. It is where the facts of a record are, by a hash of its key: a page looks
-- there instead of at every record that has ever landed.
create temp table if not exists known (key_hash ubigint, fact bigint);
select coalesce(max(fact), -1) from known

-- name: keep_up
-- What has landed since.
insert into known select hash(record), fact from ledger.source_record where fact > $seen

-- name: append_records
-- The records of a page that are new: a byte-identical payload with the same time of change lands once, unless something
-- has come since: a deletion without a time of change (which lands once until the record is told again), or, from a live
-- source, another payload with that time. A no that became a yes and a no again, all under one time, is a no.
insert into ledger.source_record
    (record, source, object, source_id, content_hash, raw, kind, body, changed_at, fetched_at, run_id, correlation_id)
with of_page as materialized (
    select fact from known where key_hash in (select hash(record) from page_records)
), told as materialized (
    select record, content_hash, changed_at, kind, fact from ledger.source_record where fact in (from of_page)
)
select record, source, object, source_id, content_hash, raw, kind, body, changed_at, $fetched_at, $run_id, $correlation_id
from (from page_records qualify row_number() over (partition by record, content_hash, changed_at order by position) = 1) p
where not exists (
    from told known
    where known.record = p.record and known.content_hash = p.content_hash
      and known.changed_at is not distinct from p.changed_at
      and not exists (
        from told since
        where since.record = known.record and since.fact > known.fact
          and (
            (since.kind = 'deletion' and since.changed_at is null) <> (p.kind = 'deletion' and p.changed_at is null)
            or ($is_live and since.changed_at is not distinct from p.changed_at and since.content_hash <> p.content_hash)
          )
      )
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
        select source, object, content_hash, max_by(state, fact) as state from ledger.quarantine
        where content_hash in (select content_hash from page_refusals) group by all
    ) known
    where known.source = p.source and known.object = p.object and known.content_hash = p.content_hash
      and known.state = 'refused'
)
order by position

-- name: close_window
-- One row: the window is whole on disk.
insert into ledger.landing (source, object, since, until, pages, landed, refused, known, run_id, recorded_at)
values ($source, $object, $since, $until, $pages, $landed, $refused, $known, $run_id, $recorded_at)

-- name: begin_full_read
-- No rows: from here on it is noted what the read of this object brings.
create or replace temp table brought (source_id varchar)

-- name: note_brought
-- The ids on a page, of accepted and refused payloads.
insert into brought select source_id from page_ids where source_id is not null

-- name: absent
-- Records on disk that the full read did not bring, and how many there are on disk at all.
select source_id, (select count(*) from derived.current_record where source = $source and object = $object) as known
from derived.current_record
where source = $source and object = $object and source_id not in (select source_id from brought)
order by source_id

-- name: missed
-- One row: how many versions of this run had changed before the watermark, without a delta having brought them.
select count(*) from ledger.source_record
where run_id = $run_id and source = $source and object = $object and changed_at < $watermark

-- name: reconcile
-- One row: what the comparison found.
insert into ledger.reconciliation (source, object, missed, vanished, unlisted, run_id, recorded_at)
values ($source, $object, $missed, $vanished, $unlisted, $run_id, $recorded_at)

-- name: waiting_refusals
-- What waits in quarantine for this source: the facts, in their order.
select fact from derived.rejected where source = $source order by fact

-- name: refused_payloads
-- The payloads of these facts.
select fact, object, raw from ledger.quarantine where fact in (select unnest($facts::bigint[])) order by fact

-- name: accept
-- One row each: these refused payloads have been read after a fix.
insert into ledger.quarantine
    (source, object, source_id, content_hash, raw, state, reasons, recorded_at, run_id, correlation_id)
select source, object, source_id, content_hash, raw, 'accepted', '[]', $recorded_at, $run_id, $run_id
from ledger.quarantine where fact in (select unnest($facts::bigint[])) order by fact
