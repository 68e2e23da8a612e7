-- name: append_events
-- What people said, once per record and answer, at the contact point in its normal form.
insert into ledger.consent_event
    (contact_point, channel, brand, purpose, status, said_at, proof, record, source, run_id)
select s.normal, t.channel, t.brand, t.purpose, t.status, t.said_at, t.proof, t.record, t.source, $run_id
from derived.told_consent t
join derived.spelling s on s.kind = t.kind and s.value = t.contact_point and s.country is not distinct from t.country
where s.normal is not null and not exists (
    from ledger.consent_event k
    where k.record = t.record and k.contact_point = s.normal and k.channel = t.channel and k.purpose = t.purpose
      and k.brand is not distinct from t.brand and k.status = t.status and k.said_at is not distinct from t.said_at
)
order by t.said_at, t.record, s.normal, t.channel, t.brand, t.purpose, t.status

-- name: disputes
-- Where a profile's records tell a yes and a no of the same time, or without one. The no holds.
create or replace temp table dispute_now as
select 'consent' as kind, c.profile, concat_ws(' ', e.channel, e.brand, e.purpose, 'at', e.contact_point) as attribute,
       to_json(list(json_object('status', e.status, 'record', e.record) order by e.status, e.record)) as candidates,
       'opt_out' as winner, 'a no wins where neither answer is newer' as rule
from (
    from ledger.consent_event
    qualify dense_rank() over (
        partition by record, contact_point, channel, brand, purpose order by said_at desc nulls last) = 1
) e join derived.crosswalk c using (record)
group by c.profile, e.contact_point, e.channel, e.brand, e.purpose, e.said_at
having bool_or(e.status = 'opt_in') and bool_or(e.status = 'opt_out')
