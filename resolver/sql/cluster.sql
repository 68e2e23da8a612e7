-- name: records
-- Every record there is, in order.
select record from derived.record order by record

-- name: thin
-- Records that say nothing about themselves (a receipt with a card, an order with a mailbox). They go where their card or
-- contact belongs and take no part in the clustering: many of them would outvote the few that know something. A record
-- that a steward judged speaks for itself.
select record from derived.record
where full_name is null and birth_date is null and record not in (
    select unnest([left_record, right_record]) from derived.judgement where judge like 'steward:%'
)
order by record

-- name: claims
-- Temporary: for each thin record and each identifier of it that may be a key, the people who hold it, by the record of
-- theirs that says most; `strange` where it is an order that brings an e-mail or a phone which they are not known by.
create or replace temp table cluster_claim as
with key as (
    select i.record, i.kind, i.value, own.email, own.phone,
           i.record in (select order_record from derived.purchase) as is_order
    from derived.identifier i join cluster_thin using (record) join derived.record own using (record)
    join rule_policy p using (kind)
    where p.enabled and i.holders <= p.max_records and own.is_person
), told as (
    select c.cluster, list(i.value) as contacts from derived.identifier i join cluster_of_rich c using (record)
    where i.kind in ('email', 'phone') group by c.cluster
)
select k.record, k.kind, k.value, c.cluster,
       max_by(c.record, ((r.birth_date is not null)::int + (r.email is not null)::int + (r.phone is not null)::int, c.record))
           as carrier,
       bool_or(k.is_order and (k.email is not null and not list_contains(coalesce(t.contacts, []), k.email)
               or k.phone is not null and not list_contains(coalesce(t.contacts, []), k.phone))) as strange
from key k join derived.identifier i using (kind, value) join cluster_of_rich c on c.record = i.record
join derived.record r on r.record = c.record
left join told t on t.cluster = c.cluster
where r.is_person
group by k.record, k.kind, k.value, c.cluster

-- name: carried
-- Thin records that belong to one person, with the record that carries them there and the kind of identifier that does. A
-- contact that is one person's outranks a card, which may be a clerk's; a card alone is not enough for an order that
-- brings an e-mail or a phone which its owner is not known by. What leads to several people is carried nowhere.
with sole as (
    select record, kind, any_value(cluster) as cluster, any_value(carrier) as carrier, bool_or(strange) as strange,
           kind in ('email', 'phone') as is_contact
    from cluster_claim group by record, kind, value having count(*) = 1
), best as (
    from sole where is_contact or not strange qualify is_contact = bool_or(is_contact) over (partition by record)
)
select record, min(carrier) as carrier, min(kind) as kind from best
group by record having count(distinct cluster) = 1 order by record

-- name: joins_of_thin
-- Pairs of thin records that a rule calls one person by an identifier that no person is known to hold.
select distinct left_record as "left", right_record as "right" from derived.judgement
where verdict = 'match' and judge like 'rule:%' and (evidence->>'value') not in (select value from cluster_claim)
order by all

-- name: joins
-- Pairs that a deterministic rule or a steward calls one person.
select distinct left_record as "left", right_record as "right" from derived.judgement
where verdict = 'match' and judge not like 'model:%'
  and left_record in (select record from derived.record) and right_record in (select record from derived.record)
order by all

-- name: weights
-- Pairs that the linkage model weighed and did not rule out.
select left_record as "left", right_record as "right", log_odds from derived.judgement
where judge like 'model:%' and log_odds is not null
  and left_record in (select record from derived.record) and right_record in (select record from derived.record)
order by all

-- name: contradictions
-- Pairs that the linkage model calls contradictory; only the evidence of many other records outweighs that.
select left_record as "left", right_record as "right" from derived.judgement
where judge like 'model:%' and (evidence->>'contradiction') is not null
  and left_record in (select record from derived.record) and right_record in (select record from derived.record)
order by all

-- name: walls
-- Pairs that may never share a profile: a steward said so, or what they say of themselves cannot be one person
-- although an identifier, or the identifiers of others between them, joins them. `reason` says which. A steward's word
-- outranks what records say of themselves.
with component as (
    select record, component from joined_component
), contradiction as (
    select l.record as "left", r.record as "right", case
        when not derived.suffix_agree(l, r) then 'Jr and Sr'
        when not derived.given_agree(l, r) and jaro_winkler_similarity(l.given_name, r.given_name) < 0.85 then 'different given names'
        when not derived.birth_agree(l, r) and (
            not derived.given_agree(l, r) or abs(left(l.birth_digits, 4)::int - left(r.birth_digits, 4)::int) >= 15
        ) then 'birth dates of different people'
    end as reason
    from component a join component b on a.component = b.component and a.record < b.record
    join derived.record l on l.record = a.record join derived.record r on r.record = b.record
), outspoken as (
    -- However much a household shares: Jr is not Sr, and Emma is not Ella, unless a name merely changed its place.
    select j.left_record, j.right_record, case
        when not derived.suffix_agree(l, r) then 'Jr and Sr'
        when not derived.given_agree(l, r) and jaro_winkler_similarity(l.given_name, r.given_name) < 0.8
             and not (list_contains(l.name_tokens, r.given_name) or list_contains(r.name_tokens, l.given_name))
             then 'different given names'
        when l.given_name = r.family_key and left(l.family_key, 1) <> left(r.given_name, 1)
             and jaro_winkler_similarity(l.family_key, r.given_name) < 0.8
             or r.given_name = l.family_key and left(r.family_key, 1) <> left(l.given_name, 1)
             and jaro_winkler_similarity(r.family_key, l.given_name) < 0.8
             then 'different given names'
    end as reason
    from derived.judgement j
    join derived.record l on l.record = j.left_record join derived.record r on r.record = j.right_record
    where j.verdict <> 'non_match'
), carded as (
    -- Who has a card and can be reached, by name; a name that very many of them bear says too little to ask every pair.
    select record, given_name, family_key, loyalty_number, email, phone from derived.record
    where loyalty_number is not null and given_name is not null and family_key is not null
      and coalesce(email, phone) is not null
    qualify count(*) over (partition by given_name, family_key) <= 50
), namesakes as (
    -- Two cards under one name and no contact in common: two people, until somebody says otherwise.
    select l.record, r.record, 'different cards and contacts'
    from carded l join carded r on r.given_name = l.given_name and r.family_key = l.family_key and l.record < r.record
    where l.loyalty_number <> r.loyalty_number and (l.email <> r.email or l.phone <> r.phone) and not exists (
        from derived.identifier a join derived.identifier b on b.kind = a.kind and b.value = a.value
        where a.record = l.record and b.record = r.record and a.kind in ('email', 'phone')
    )
), settled as (
    -- Whom a steward called one person: what one of the two says of itself no longer contradicts what the other says.
    select c.component, l as one, r as other
    from derived.judgement j join component c on c.record = j.left_record
    join derived.record l on l.record = j.left_record join derived.record r on r.record = j.right_record
    where j.judge like 'steward:%' and j.verdict = 'match'
), lifted as (
    select least(l.record, r.record) as "left", greatest(l.record, r.record) as "right"
    from settled s join component a using (component) join component b using (component)
    join derived.record l on l.record = a.record join derived.record r on r.record = b.record
    where derived.given_agree(l, one) and derived.birth_agree(l, one) and derived.suffix_agree(l, one)
      and derived.given_agree(r, other) and derived.birth_agree(r, other) and derived.suffix_agree(r, other)
)
select "left", "right", case when bool_or(reason = 'steward') then 'steward' else min(reason) end as reason from (
    select left_record as "left", right_record as "right", 'steward' as reason
    from derived.judgement where verdict = 'non_match' and judge like 'steward:%'
    union all
    select * from (
        from contradiction where reason is not null union all from outspoken where reason is not null
        union all from namesakes)
    where ("left", "right") not in (select ("left", "right") from lifted)
)
where "left" in (select record from derived.record) and "right" in (select record from derived.record)
group by all order by all

-- name: known_profiles
-- Which profile each record belongs to, and the fact that founded each profile: a lower number is an older profile.
select c.record, c.profile, f.founded
from derived.crosswalk c join (select profile, min(fact) as founded from ledger.membership group by profile) f using (profile)

-- name: profile_ids
-- Every profile id that was ever given.
select distinct profile from ledger.membership

-- name: support
-- Temporary: for each record the strongest judgement that ties it to another record of its profile.
create or replace temp table cluster_support as
with tie as (
    select left_record as record, right_record as other, judge, log_odds, verdict from derived.judgement
    union all select right_record, left_record, judge, log_odds, verdict from derived.judgement
)
select t.record, max_by(
    json_object('judge', t.judge, 'with', t.other, 'log_odds', t.log_odds),
    (case when t.judge like 'steward:%' then 3 when t.judge like 'rule:%' then 2 else 1 end, coalesce(t.log_odds, 0), t.other)
) as because
from tie t join cluster_now a on a.record = t.record join cluster_now b on b.record = t.other and b.profile = a.profile
where t.verdict <> 'non_match'
group by t.record

-- name: append_leaves
-- Records that leave a profile, because they move or because no source tells of them any more.
insert into ledger.membership (record, profile, change, because, run_id, recorded_at)
select k.record, k.profile, 'left',
       case when n.record is null then '{"gone": true}' else json_object('moved_to', n.profile) end, $run_id, $recorded_at
from derived.crosswalk k left join cluster_now n using (record)
where n.profile is distinct from k.profile
order by k.record

-- name: append_joins
-- Records that join a profile, with the judgement that ties them to it, or the identifier that only this person holds.
insert into ledger.membership (record, profile, change, because, run_id, recorded_at)
select n.record, n.profile, 'joined',
       coalesce(s.because, case when c.record is not null then json_object('only_person_with', c.kind, 'carried_by', c.carrier) end, '{"alone": true}'),
       $run_id, $recorded_at
from cluster_now n left join derived.crosswalk k using (record) left join cluster_support s using (record)
left join cluster_carried c using (record)
where k.record is null
order by n.record

-- name: doubts
-- Pairs of profiles that may be one person, or that a contradiction keeps apart although much speaks for one: the
-- strongest pair of records of each.
create or replace temp table dispute_now as
with pair as (
    select least(a.profile, b.profile) as profile, greatest(a.profile, b.profile) as other,
           j.left_record, j.right_record, j.judge, j.verdict, j.log_odds,
           coalesce(w.reason, case when t.record is not null then 'its card or contact does not say whose it is'
                                   when l.cluster = r.cluster then 'like names, but nothing of their own in common' end) as reason
    from derived.judgement j
    join derived.crosswalk a on a.record = j.left_record join derived.crosswalk b on b.record = j.right_record
    left join cluster_wall w on w."left" = j.left_record and w."right" = j.right_record
    left join cluster_before l on l.record = j.left_record left join cluster_before r on r.record = j.right_record
    left join cluster_left_over t on t.record in (j.left_record, j.right_record)
    where a.profile <> b.profile and j.verdict <> 'non_match' and coalesce(w.reason, '') <> 'steward'
      and coalesce(j.log_odds, $low_log_odds) >= $low_log_odds
)
select 'identity' as kind, profile, 'same person as ' || other as attribute,
       to_json(list(json_object('left', left_record, 'right', right_record, 'judge', judge, 'log_odds', log_odds,
                                    'kept_apart_by', reason))) as candidates,
       null::varchar as winner,
       coalesce(max(reason), case when bool_or(verdict = 'match') then 'outvoted by the rest of the cluster' else 'unsure' end) as rule
from (
    from pair qualify row_number() over (
        partition by profile, other order by coalesce(log_odds, 100) desc, left_record, right_record, judge) = 1
)
group by profile, other
