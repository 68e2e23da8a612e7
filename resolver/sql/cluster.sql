-- name: records
-- Every record there is, in order.
select record from derived.record order by record

-- name: carried
-- Records that say nothing about themselves (a receipt with a card, an order with a mailbox) and that a rule joins to one
-- that does: they go where that one goes, and take no part in the clustering. Many thin records would outvote the few
-- that know something. A record that a steward judged speaks for itself.
with tie as (
    select left_record as record, right_record as other from derived.judgement where judge like 'rule:%' and verdict = 'match'
    union
    select right_record, left_record from derived.judgement where judge like 'rule:%' and verdict = 'match'
), rich as (
    select record, (full_name is not null)::int + (birth_date is not null)::int + (email is not null)::int
                   + (phone is not null)::int as richness
    from derived.record where full_name is not null or birth_date is not null
)
select thin.record, max_by(rich.record, (rich.richness, rich.record)) as carrier
from tie join derived.record thin on thin.record = tie.record join rich on rich.record = tie.other
where thin.full_name is null and thin.birth_date is null and thin.record not in (
    select unnest([left_record, right_record]) from derived.judgement where judge like 'steward:%'
)
group by thin.record order by thin.record

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
), nameless as (
    -- What says nothing about itself but a contact can only be tied by a contact that is one person's.
    select j.left_record, j.right_record, 'only a shared contact in common'
    from derived.judgement j
    join derived.record l on l.record = j.left_record join derived.record r on r.record = j.right_record
    where j.judge like 'model:%' and j.verdict <> 'non_match'
      and ((l.full_name is null and l.birth_date is null) or (r.full_name is null and r.birth_date is null))
      and not exists (
        from derived.identifier a join derived.identifier b on b.kind = a.kind and b.value = a.value
        where a.record = j.left_record and b.record = j.right_record and a.usable
      )
), outspoken as (
    -- However much a household shares: Jr is not Sr, and Emma is not Ella, unless a name merely changed its place.
    select j.left_record, j.right_record, case
        when not derived.suffix_agree(l, r) then 'Jr and Sr'
        when not derived.given_agree(l, r) and jaro_winkler_similarity(l.given_name, r.given_name) < 0.8
             and not list_contains(l.name_tokens, r.given_name) and not list_contains(r.name_tokens, l.given_name)
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
        union all from nameless union all from namesakes)
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
-- Records that join a profile, with the judgement that ties them to it.
insert into ledger.membership (record, profile, change, because, run_id, recorded_at)
select n.record, n.profile, 'joined', coalesce(s.because, '{"alone": true}'), $run_id, $recorded_at
from cluster_now n left join derived.crosswalk k using (record) left join cluster_support s using (record)
where k.record is null
order by n.record

-- name: doubts
-- Pairs of profiles that may be one person, or that a contradiction keeps apart although much speaks for one: the
-- strongest pair of records of each.
create or replace temp table dispute_now as
with pair as (
    select least(a.profile, b.profile) as profile, greatest(a.profile, b.profile) as other,
           j.left_record, j.right_record, j.judge, j.verdict, j.log_odds, w.reason
    from derived.judgement j
    join derived.crosswalk a on a.record = j.left_record join derived.crosswalk b on b.record = j.right_record
    left join cluster_wall w on w."left" = j.left_record and w."right" = j.right_record
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
