-- name: told_values
-- The distinct told e-mails and phones, each with the country it was told in.
select kind, value, country from derived.told_identifier where kind in ('email', 'phone')
union
select kind, contact_point, country from derived.told_consent
order by all

-- name: clear_spelling
-- No rows: the spellings are worked out anew.
delete from derived.spelling

-- name: spelling
-- One row per told value and country.
insert into derived.spelling from identifier_spelling

-- name: normal_values
-- Temporary: every identifier of a record in normal form; what has none is no identifier.
create or replace temp table identified_value as
select record, kind, value, bool_or(coalesce(verified, false)) as verified, bool_or(landline) as landline from (
    select t.record, t.kind, n.normal as value, t.verified, n.landline
    from derived.told_identifier t
    join derived.spelling n on n.kind = t.kind and n.value = t.value and n.country is not distinct from t.country
    where n.normal is not null
    union all
    select record, kind, nullif(regexp_replace(lower(value), '[^a-z0-9:_]', '', 'g'), ''), verified, false
    from derived.told_identifier where kind not in ('email', 'phone') and not regexp_matches(value, '^[0: ]*$')
)
where value is not null
group by record, kind, value

-- name: holders
-- Temporary: per value how many records hold it, how many differently named people they seem to be, and whether two of the
-- names are known to be two. Names that share a full form, or of which one is the other's initial, or that stand in each
-- other's places, count as one person's.
create or replace temp table identified_holder as
with named as (
    select v.kind, v.value, r.given_name, r.given_sex, r.family_key, r.given_forms, count(*) as times
    from identified_value v join derived.record r using (record)
    where r.given_name is not null
    group by all
), commonest as (
    select kind, value, arg_max(struct_pack(given_name := given_name, given_sex := given_sex, family_key := family_key,
                                            forms := given_forms), (times, given_name)) as hub
    from named group by kind, value
), beside_hub as (
    select n.kind, n.value, n.given_name, n.given_sex is not null and c.hub.given_sex is not null as are_known, not (
        n.given_name = c.hub.given_name or list_has_any(n.given_forms, c.hub.forms)
        or (least(length(n.given_name), length(c.hub.given_name)) = 1 and left(n.given_name, 1) = left(c.hub.given_name, 1))
        or jaro_winkler_similarity(n.given_name, c.hub.given_name) >= 0.92
        or coalesce(n.given_name = c.hub.family_key and n.family_key = c.hub.given_name, false)
    ) as is_stranger
    from named n join commonest c using (kind, value)
), strangers as (
    select kind, value, count(distinct given_name) filter (where is_stranger) as others,
           bool_or(is_stranger and are_known) as is_shared
    from beside_hub group by kind, value
)
select v.kind, v.value, count(*) as holders, coalesce(any_value(s.others), -1) + 1 as people,
       coalesce(any_value(s.is_shared), false) as is_shared
from identified_value v left join strangers s using (kind, value)
group by v.kind, v.value

-- name: clear
-- No rows: the identifiers are worked out anew.
delete from derived.identifier

-- name: identifiers
-- One row per record and identifier, with the guard that keeps a value from being a key, and whether it is a household's: a
-- mailbox in the family's name, a landline, or a number that may be one and that people of two names hold.
insert into derived.identifier
select v.record, v.kind, v.value, v.verified, h.holders, h.people,
       guard is null as usable, guard,
       coalesce(v.landline, h.is_shared) or (v.kind = 'email' and r.family_mailbox) as household
from identified_value v
join identified_holder h using (kind, value)
join derived.record r on r.record = v.record
join rule_policy p using (kind)
cross join lateral (select case
    when h.holders > p.max_records then 'more than ' || p.max_records || ' records hold it'
    when h.people > p.max_people then 'held under ' || h.people || ' different given names'
end as guard)
order by v.record, v.kind, v.value
