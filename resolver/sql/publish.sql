-- name: documents
-- Temporary: everything a destination may receive about each profile, as one JSON document, retired profiles included.
create or replace temp table publish_document as
with member as (
    select profile, list(record order by record) as records from derived.crosswalk group by profile
), consent as (
    select profile, to_json(list(json_object(
        'contact_point', contact_point, 'channel', channel, 'brand', brand, 'purpose', purpose, 'status', status,
        'at', strftime(said_at, '%Y-%m-%dT%H:%M:%SZ'), 'proof', proof
    ) order by contact_point, channel, brand, purpose)) as consents
    from derived.consent group by profile
), account as (
    select profile, to_json(list(json_object(
        'account', account, 'programme', programme, 'status', status, 'balance', balance,
        'tier', case when tier is not null then json_object('code', tier, 'expires_on', tier_expires_on) end,
        'enrolled_at', strftime(enrolled_at, '%Y-%m-%dT%H:%M:%SZ')
    ) order by programme, account)) as accounts
    from derived.loyalty_account group by profile
), bought as (
    select c.profile, to_json(list(json_object('record', p.order_record, 'order', p.body)
                                       order by p.placed_at desc, p.order_record)) as orders
    from derived.purchase p join derived.crosswalk c on c.record = p.owner group by c.profile
)
select v.profile, json_object(
    'profile', v.golden,
    'status', case v.state when 'active' then 'active' else 'merged' end, 'merged_into', v.superseded_by,
    'records', coalesce(m.records, []), 'consents', coalesce(s.consents, '[]'::json),
    'loyalty', coalesce(a.accounts, '[]'::json), 'orders', coalesce(b.orders, '[]'::json)
) as document
from derived.profile v
left join member m using (profile) left join consent s using (profile) left join account a using (profile)
left join bought b using (profile)
where v.state = 'active' or v.superseded_by is not null

-- name: changed_documents
-- Profiles whose document differs from the one last rendered for this destination. A retired profile that the
-- destination never heard of is nothing to tell.
select d.profile, d.document, md5($mapping || d.document::varchar) as document_hash
from publish_document d
left join (
    from ledger.rendering where destination = $destination
    qualify row_number() over (partition by profile order by fact desc) = 1
) r using (profile)
where r.document_hash is distinct from md5($mapping || d.document::varchar)
  and (d.document->>'status' = 'active' or r.profile is not null)
order by d.profile

-- name: append_queued
-- Messages that say something that the destination has not been told: intents, committed before anything is sent.
insert into ledger.publication
    (destination, object, target_key, profile, sequence, message_rank, write_once, payload_hash, payload,
     idempotency_key, state, correlation_id, run_id, recorded_at)
select $destination, object, target_key, profile, sequence, message_rank, write_once, payload_hash, payload,
       sha256(concat_ws('|', $destination, object, target_key, profile, sequence, payload_hash)), 'queued',
       correlation_id, $run_id, $recorded_at
from (from publish_new order by position)

-- name: classify
-- What the rendered messages mean for this destination, and the sequence each gets. Messages whose content was the last
-- thing said under their key are left out, unless it ended in one of the states `untold`; so are those that are written
-- once and were accepted. The same thing rendered twice counts once.
select n.position, n.object, n.target_key, n.profile, n.message_rank, n.write_once, n.payload_hash, n.payload,
       coalesce(k.sequence, 0) + row_number() over (partition by n.object, n.target_key order by n.position) as sequence
from (
    from publish_rendered qualify row_number() over (partition by object, target_key, payload_hash order by position) = 1
) n
left join (
    from derived.message where destination = $destination
    qualify row_number() over (partition by object, target_key order by sequence desc) = 1
) k on k.object = n.object and k.target_key = n.target_key
where (k.payload_hash is distinct from n.payload_hash or list_contains($untold, k.state))
  and not (n.write_once and exists (
    from derived.message m where m.destination = $destination and m.object = n.object and m.target_key = n.target_key
      and m.payload_hash = n.payload_hash and m.state = 'accepted'
  ))
order by n.position

-- name: planned
-- What this destination has yet to hear, beside what it holds under the same key (NULL: nothing yet).
select o.object, o.target_key, o.profile, o.payload, h.payload as held
from derived.outbox o
left join derived.target_state t using (destination, object, target_key)
left join ledger.publication h
  on h.destination = t.destination and h.object = t.object and h.target_key = t.target_key and h.sequence = t.sequence
 and h.payload is not null
where o.destination = $destination
order by o.profile, o.message_rank, o.object, o.target_key, o.sequence

-- name: append_renderings
-- The documents whose messages are in the outbox now.
insert into ledger.rendering (destination, profile, document_hash, messages, run_id, recorded_at)
select $destination, profile, document_hash, messages, $run_id, $recorded_at from publish_rendering order by profile

-- name: outbox
-- What this destination has yet to hear, in waves: profiles with an opt-out, then the others, then those that were merged
-- away, since they point to their heirs. Within a wave profile by profile in the order of rank.
select case when p.state = 'retired' then 3 when bool_or(contains(o.payload, 'opt_out')) over (partition by o.profile) then 1
            else 2 end as wave,
       o.object, o.target_key, o.profile, o.sequence, o.message_rank, o.write_once, o.payload_hash, o.payload,
       o.idempotency_key, o.state, o.correlation_id, o.run_id
from derived.outbox o left join derived.profile p using (profile)
where o.destination = $destination
order by wave, o.profile, o.message_rank, o.object, o.target_key, o.sequence

-- name: append_receipts
-- What became of messages that were sent.
insert into ledger.publication
    (destination, object, target_key, profile, sequence, message_rank, write_once, payload_hash, payload, idempotency_key,
     state, code, reason, target_id, correlation_id, run_id, recorded_at)
select $destination, object, target_key, profile, sequence, message_rank, write_once, payload_hash, null, idempotency_key,
       state, code, reason, target_id, correlation_id, $run_id, $recorded_at
from publish_receipt order by position

-- name: rejected_documents
-- The documents of today for the profiles that have a message in the error queue of this destination.
select d.profile, d.document, md5($mapping || d.document::varchar) as document_hash
from publish_document d
where d.profile in (select profile from derived.error_queue where destination = $destination)
order by d.profile
