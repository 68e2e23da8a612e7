-- name: clear
-- No rows: what earlier runs gathered is gathered anew.
delete from derived.told; delete from derived.told_identifier; delete from derived.told_consent; delete from derived.purchase; delete from derived.waiting;

-- name: settlements
-- Temporary: per order record the tenders, refunds, returns and shipments that its source tells apart from the order.
create or replace temp table gathered_settlement as
with settlement as (
    select record, source, source_id, body from derived.current_record where kind = 'settlement'
), by_order as (
    select o.record as order_record, s.record, s.body
    from settlement s join derived.current_record o
      on o.kind = 'order' and o.source = s.source and o.source_id = (s.body->>'order')
    union
    select o.record, s.record, s.body
    from (
        select record, source, unnest(from_json(body->'settlements', '["VARCHAR"]')) as settlement_id
        from derived.current_record where kind = 'order'
    ) o join settlement s on s.source = o.source and s.source_id = o.settlement_id
)
select order_record, record, body from by_order

-- name: purchases
-- One row an order: whose it is. A customer of the same source owns it; where none landed, it speaks for itself.
insert into derived.purchase
with bought as (
    select record, source, body from derived.current_record where kind = 'order'
), customer as (
    select source, source_id, min(record) as record from derived.customer group by source, source_id
), settled as (
    select order_record,
           list(body order by record) as settlements
    from gathered_settlement group by order_record
)
select
    b.record, coalesce(c.record, b.record), b.source, b.body->>'number', (b.body->>'placed_at')::timestamptz,
    b.body->>'channel', b.body->>'currency', (b.body->'total'->>'amount')::decimal(18, 4),
    case when s.settlements is null then b.body
         else json_merge_patch(b.body, json_object(
            'tenders', list_concat(
                coalesce(from_json(b.body->'tenders', '["JSON"]'), []),
                flatten([coalesce(from_json(x->'tenders', '["JSON"]'), []) for x in s.settlements])),
            'refunds', list_concat(
                coalesce(from_json(b.body->'refunds', '["JSON"]'), []),
                flatten([coalesce(from_json(x->'refunds', '["JSON"]'), []) for x in s.settlements])),
            'fulfilments', list_concat(
                coalesce(from_json(b.body->'fulfilments', '["JSON"]'), []),
                flatten([coalesce(from_json(x->'fulfilments', '["JSON"]'), []) for x in s.settlements])),
            'returns', list_concat(
                coalesce(from_json(b.body->'returns', '["JSON"]'), []),
                flatten([coalesce(from_json(x->'returns', '["JSON"]'), []) for x in s.settlements])))) end
from bought b
left join customer c on c.source = b.source and c.source_id = (b.body->>'customer')
left join settled s on s.order_record = b.record

-- name: persons
-- Temporary: every record that tells about a person, with the person as JSON.
create or replace temp table gathered_person as
select r.record, r.source, r.object, r.source_id, r.changed_at, r.body as person,
       null::varchar as loyalty_number, c.source_id as customer, r.body->>'store' as met_at
from derived.current_record r left join derived.customer c using (record) where r.kind = 'person'
union all
select r.record, r.source, r.object, r.source_id, r.changed_at, coalesce(r.body->'person', '{}'::json),
       r.body->>'loyalty_number', r.body->>'customer', r.body->>'store'
from derived.current_record r join derived.purchase p on p.order_record = r.record and p.owner = r.record
where r.kind = 'order'
  and ((r.body->'person') is not null or (r.body->>'loyalty_number') is not null or (r.body->>'customer') is not null)

-- name: contacts
-- Temporary: every contact point, the one to match on first.
create or replace temp table gathered_contact as
select *, row_number() over (
    partition by record, kind order by verified desc nulls last, is_primary desc nulls last, position, value
) as choice
from (
    select record, c.kind as kind, c.value as value, c.verified as verified, c.primary as is_primary, position
    from (
        select record, unnest(list) as c, generate_subscripts(list, 1) as position
        from (
            select record, from_json(person->'contact_points',
                '[{"kind":"VARCHAR","value":"VARCHAR","primary":"BOOLEAN","verified":"BOOLEAN"}]') as list
            from gathered_person
        )
    )
)

-- name: addresses
-- Temporary: the address to match on, one a record.
create or replace temp table gathered_address as
select record, a, whole from (
    select record, a, whole, row_number() over (
        partition by record order by a.primary desc nulls last, (a.postcode is not null) desc, position
    ) as choice
    from (
        select record, unnest(list) as a, unnest(wholes) as whole, generate_subscripts(list, 1) as position
        from (
            select record,
                from_json(person->'addresses', '[{"line1":"VARCHAR","line2":"VARCHAR","house_number":"VARCHAR",
                    "street":"VARCHAR","postcode":"VARCHAR","city":"VARCHAR","region":"VARCHAR","country":"VARCHAR",
                    "primary":"BOOLEAN"}]') as list,
                from_json(person->'addresses', '["JSON"]') as wholes
            from gathered_person
        )
    )
) where choice = 1

-- name: countries
-- Temporary: the country of each record: its address's, else that in which nearly all live whom its store knows. A number
-- that is told at a till is told as people there dial it.
create or replace temp table gathered_country as
with person as (
    select p.record, p.source, p.met_at, a.a.country as country
    from gathered_person p left join gathered_address a using (record)
), customer as (
    select source, met_at, country, count(*) as people
    from person where met_at is not null and country is not null group by source, met_at, country
), store as (
    select source, met_at, country from customer
    qualify people >= 0.9 * sum(people) over (partition by source, met_at)
)
select p.record, coalesce(p.country, s.country) as country
from person p left join store s using (source, met_at)

-- name: identifiers
-- Every value by which a record may be identified. A customer number of a source is an external id of others.
insert into derived.told_identifier
with named as (
    select record, unnest(from_json(person->'identifiers', '[{"kind":"VARCHAR","value":"VARCHAR"}]')) as i from gathered_person
), member as (
    select record, unnest(from_json(person->'loyalty', '[{"account":"VARCHAR"}]')) as m from gathered_person
)
select distinct record, kind, value, verified, country from (
    select record, kind, value, verified from gathered_contact
    union all select record, 'loyalty_number', loyalty_number, null from gathered_person where loyalty_number is not null
    union all select record, 'loyalty_number', m.account, null from member
    union all select record, 'loyalty_number', i.value, null from named where i.kind = 'loyalty_number'
    union all select record, 'external_id', i.kind || ':' || i.value, null from named where i.kind <> 'loyalty_number'
    union all select record, 'external_id', source || '_customer:' || customer, null from gathered_person where customer is not null
) join gathered_country using (record)
where nullif(trim(value), '') is not null

-- name: consents
-- Every answer about being written to.
insert into derived.told_consent
with said as (
    select p.record, p.source, c.country, unnest(from_json(p.person->'consents',
        '[{"contact_point":"VARCHAR","channel":"VARCHAR","brand":"VARCHAR","purpose":"VARCHAR","status":"VARCHAR",
           "at":"TIMESTAMPTZ","proof":"VARCHAR"}]')) as e
    from gathered_person p join gathered_country c using (record)
)
select distinct record, source,
       case when e.channel = 'email' then 'email' when e.channel in ('sms', 'phone') then 'phone' else 'other' end,
       e.contact_point, country,
       e.channel, e.brand, coalesce(e.purpose, 'marketing'), e.status, e.at, e.proof
from said

-- name: told
-- One row a record: the person as its source tells it.
insert into derived.told by name
select
    p.record, p.source, p.object, p.changed_at,
    p.person->>'title' as title, p.person->>'given_name' as given_name, p.person->>'middle_name' as middle_name,
    p.person->>'family_name' as family_name, p.person->>'full_name' as full_name, p.person->>'name_suffix' as name_suffix,
    p.person->>'organisation' as organisation, p.person->>'sex' as sex, p.person->>'birth_date' as birth_date,
    p.person->>'birth_year' as birth_year,
    e.value as email, e.verified as email_verified, t.value as phone, t.verified as phone_verified,
    concat_ws(', ', nullif(trim(a.a.line1), ''), nullif(trim(a.a.line2), '')) as address_line,
    a.a.house_number as house_number, a.a.street as street, a.a.postcode as postcode, a.a.city as city,
    a.a.region as region, c.country as country, a.whole as address,
    coalesce(p.person->>'language', p.person->>'locale') as language, p.person->>'brand' as brand, p.person->>'store' as store,
    l.value as loyalty_number
from gathered_person p
join gathered_country c on c.record = p.record
left join gathered_contact e on e.record = p.record and e.kind = 'email' and e.choice = 1
left join gathered_contact t on t.record = p.record and t.kind = 'phone' and t.choice = 1
left join gathered_address a on a.record = p.record
left join (
    select record, min(value) as value from derived.told_identifier where kind = 'loyalty_number' group by record
) l on l.record = p.record
order by p.record

-- name: waiting
-- What refers to a record that has not landed. It is not lost: the next run looks again.
insert into derived.waiting
select o.record, o.source || ' customer ' || (o.body->>'customer'), 'customer has not landed'
from derived.current_record o
where o.kind = 'order' and (o.body->>'customer') is not null and not exists (
    from derived.customer c where c.source = o.source and c.source_id = (o.body->>'customer')
)
union all
select s.record, s.source || ' order ' || coalesce(s.body->>'order', '?'), 'order has not landed'
from derived.current_record s
where s.kind = 'settlement' and not exists (from gathered_settlement g where g.record = s.record)
