-- name: told
-- Temporary: every movement of points that a current record tells.
create or replace temp table loyalty_told as
with entry as (
    select record, unnest(from_json(body->'loyalty', '[{"account":"VARCHAR","programme":"VARCHAR","external_id":"VARCHAR",
        "movement":"VARCHAR","points":"BIGINT","at":"TIMESTAMPTZ","expires_on":"DATE","order":"VARCHAR","reverses":"VARCHAR"}]')) as e
    from derived.current_record where kind = 'order'
    union all
    select record, from_json(body, '{"account":"VARCHAR","programme":"VARCHAR","external_id":"VARCHAR","movement":"VARCHAR",
        "points":"BIGINT","at":"TIMESTAMPTZ","expires_on":"DATE","order":"VARCHAR","reverses":"VARCHAR"}')
    from derived.current_record where kind = 'entry'
)
select coalesce(e.programme, 'main') as programme, e.account as account, e.external_id as external_id, e.movement as movement,
       e.points as points, e.at as occurred_at, e.expires_on as expires_on, e.order as order_ref, e.reverses as reverses, record
from entry

-- name: append_entries
-- Movements that are new. The same id with other content is a conflict and moves nothing.
insert into ledger.loyalty_entry
    (programme, account, external_id, movement, points, occurred_at, expires_on, order_ref, reverses, record, run_id)
select programme, account, external_id, movement, points, occurred_at, expires_on, order_ref, reverses, record, $run_id
from (from loyalty_told qualify row_number() over (partition by programme, account, external_id order by record) = 1) t
where not exists (
    from ledger.loyalty_entry k
    where k.programme = t.programme and k.account = t.account and k.external_id = t.external_id
)
order by occurred_at, programme, account, external_id

-- name: accounts
-- Each account as told by the record that most lately enrolled or changed it, with the profile that it belongs to.
-- A source may tell members as records of their own, which name their customer. A receipt never makes anybody the owner
-- of the card that was swiped.
create or replace temp table loyalty_account as
with member as (
    select r.record, r.changed_at, unnest(from_json(r.body->'loyalty', '[{"account":"VARCHAR","programme":"VARCHAR",
        "status":"VARCHAR","tier":{"code":"VARCHAR","expires_on":"DATE"},"balance":"BIGINT","enrolled_at":"TIMESTAMPTZ"}]')) as m
    from derived.current_record r where r.kind = 'person'
    union all
    select p.record, r.changed_at, from_json(r.body, '{"account":"VARCHAR","programme":"VARCHAR",
        "status":"VARCHAR","tier":{"code":"VARCHAR","expires_on":"DATE"},"balance":"BIGINT","enrolled_at":"TIMESTAMPTZ"}')
    from derived.current_record r
    join derived.customer p on p.source = r.source and p.source_id = (r.body->>'customer')
    where r.kind = 'member'
)
select coalesce(m.programme, 'main') as programme, m.account as account, c.profile, record, changed_at,
       coalesce(m.status, 'active') as status, m.tier as tier, m.balance as told_balance, m.enrolled_at as enrolled_at
from member join derived.crosswalk c using (record)

-- name: clear_accounts
-- No rows: the accounts are worked out anew.
delete from derived.loyalty_account

-- name: keep_accounts
-- One row an account: its owner, tier and balance. The balance is what its source tells most lately; where none tells
-- one, the sum of its entries. It never is below nought: what is missing is a shortfall, for a steward to see.
insert into derived.loyalty_account
select a.programme, a.account, a.profile, a.record, a.status, a.tier.code, a.tier.expires_on, a.enrolled_at,
       greatest(coalesce(told.balance, b.balance, 0), 0), told.balance, b.balance
from (
    from loyalty_account qualify row_number() over (
        partition by programme, account order by (enrolled_at is null), enrolled_at, record) = 1
) a
left join (
    select programme, account, told_balance as balance from loyalty_account where told_balance is not null
    qualify row_number() over (partition by programme, account order by changed_at desc nulls last, record desc) = 1
) told using (programme, account)
left join derived.balance b using (programme, account)
order by a.programme, a.account

-- name: disputes
-- Where loyalty needs a person: two accounts of one profile, one account claimed by two profiles, a posting that came
-- again with other content, a balance that is not the sum of its entries, more points taken than there were.
create or replace temp table dispute_now as
select 'loyalty' as kind, profile, 'accounts of ' || programme as attribute,
       to_json(list(json_object('account', account, 'balance', balance, 'record', record) order by account)) as candidates,
       null::varchar as winner, 'one person, several accounts: points stay where they are until a steward joins them' as rule
from derived.loyalty_account where status = 'active' group by profile, programme having count(*) > 1
union all
select 'loyalty', min(profile), concat_ws(' of ', 'owner', account, nullif(programme, 'main')),
       to_json(list(json_object('profile', profile, 'record', record) order by profile)),
       null, 'one account, several people'
from (from loyalty_account qualify row_number() over (partition by programme, account, profile order by record) = 1)
group by programme, account having count(distinct profile) > 1
union all
select 'loyalty', coalesce(any_value(a.profile), 'nobody'), concat_ws(' of ', 'posting ' || t.external_id, t.account, nullif(t.programme, 'main')),
       to_json(list(json_object('points', t.points, 'record', t.record) order by t.record)), null, 'same posting, other content'
from loyalty_told t
join ledger.loyalty_entry k using (programme, account, external_id)
left join derived.loyalty_account a using (programme, account)
where k.points <> t.points or k.movement <> t.movement
group by t.programme, t.account, t.external_id
union all
select 'loyalty', profile, concat_ws(' of ', 'balance', account, nullif(programme, 'main')),
       json_array(json_object('told', told_balance, 'entries', entry_balance)), told_balance::varchar, 'told by the source'
from derived.loyalty_account where told_balance <> entry_balance
union all
select 'loyalty', profile, concat_ws(' of ', 'shortfall', account, nullif(programme, 'main')),
       json_array(json_object('entries', entry_balance)), '0', 'more points were taken than there were'
from derived.loyalty_account where told_balance is null and entry_balance < 0
