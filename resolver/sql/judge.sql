-- name: keyed
-- Temporary: the holders of every enabled key with what they say of themselves; records that are no person take no part.
create or replace temp table judged_holder as
select i.kind, i.value, i.verified, i.usable, i.people, i.holders, p.needs_verified,
       struct_pack(record := r.record, given_name := r.given_name, given_forms := r.given_forms, family_key := r.family_key,
                   birth_digits := r.birth_digits, name_suffix := r.name_suffix, email := r.email, phone := r.phone,
                   household := i.household, own_email := case when not r.family_mailbox then r.email end,
                   own_phone := reached.value) as person,
       coalesce(r.given_name, '') as given_name,
       (r.given_name is not null)::int + (r.family_key is not null)::int + (r.birth_digits is not null)::int
           + i.verified::int as richness
from derived.identifier i
join derived.record r using (record)
join rule_policy p using (kind)
left join derived.identifier reached
    on reached.record = r.record and reached.kind = 'phone' and reached.value = r.phone and not reached.household
where p.enabled and r.is_person and i.holders between 2 and p.max_records

-- name: by_rule
-- Temporary: pairs that a deterministic rule settles. Within a key, each given name has a hub, the record that says most;
-- others join their hub, and hubs join each other where they agree; those whom a hub contradicts still join whoever says
-- the same as they do. A record without a name joins only where the key seems to be one person's and where it brings no
-- other e-mail or phone: a clerk's card on a stranger's receipt makes nobody the clerk. An initial is a name only where the
-- key seems to be one person's, too. A mailbox or telephone of several people, or of a household, settles nothing by itself:
-- fathers and sons bear one name, and some Elizabeths are called Lisa; a birth date or the other contact has to be the same
-- as well. An unverified value may still join a record that says nothing else about itself.
create or replace temp table judged_by_rule as
with hub as (
    select kind, value, given_name, max_by(person, (richness, person.record)) as person, bool_or(verified) as verified
    from judged_holder group by kind, value, given_name
), spoke as (
    select h.kind, h.value, h.person as l, b.person as r, h.verified or b.verified as verified, h.usable, h.people, h.holders,
           h.needs_verified
    from judged_holder h join hub b using (kind, value, given_name)
    where h.person.record <> b.person.record and h.given_name <> ''
), alike as (
    select h.kind, h.value, h.person as l, b.person as r, h.verified or b.verified as verified, h.usable, h.people, h.holders,
           h.needs_verified
    from judged_holder h join (
        select kind, value, given_name, person.birth_digits as birth_digits, person.name_suffix as name_suffix,
               max_by(person, (richness, person.record)) as person, bool_or(verified) as verified
        from judged_holder group by all
    ) b on b.kind = h.kind and b.value = h.value and b.given_name = h.given_name
       and b.birth_digits is not distinct from h.person.birth_digits and b.name_suffix is not distinct from h.person.name_suffix
    where h.person.record <> b.person.record and h.given_name <> ''
), between_hubs as (
    select a.kind, a.value, a.person as l, b.person as r, a.verified or b.verified as verified, h.usable, h.people, h.holders,
           h.needs_verified
    from hub a join hub b on b.kind = a.kind and b.value = a.value and a.given_name < b.given_name and a.given_name <> ''
    join (select distinct kind, value, usable, people, holders, needs_verified from judged_holder) h
      on h.kind = a.kind and h.value = a.value
    where h.people <= 20
), nameless as (
    select h.kind, h.value, h.person as l, b.person as r, h.verified, h.usable, h.people, h.holders, false
    from judged_holder h
    join (
        select kind, value, max_by(person, (richness, person.record)) as person from judged_holder group by kind, value
    ) b using (kind, value)
    where h.given_name = '' and h.person.record <> b.person.record and h.usable
      and derived.contact_agree(h.person, b.person)
), pair as (
    from spoke union all from alike union all from between_hubs union all from nameless
)
select distinct
    least(l.record, r.record) as left_record, greatest(l.record, r.record) as right_record,
    'match' as verdict, 'rule:same_' || kind as judge, null::double as log_odds,
    json_object('identifier', kind, 'value', value, 'records', holders, 'people', people, 'verified', verified) as evidence
from pair
where derived.given_agree(l, r) and derived.birth_agree(l, r) and derived.suffix_agree(l, r)
  and (usable or l.given_name = r.given_name or list_has_any(l.given_forms, r.given_forms))
  and (usable and not (l.household and r.household) or kind not in ('email', 'phone') or l.birth_digits = r.birth_digits
       or (kind = 'phone' and l.own_email = r.own_email) or (kind = 'email' and l.own_phone = r.own_phone))
  and (l.name_suffix is not distinct from r.name_suffix or kind not in ('email', 'phone') or l.birth_digits = r.birth_digits
       or l.own_email = r.own_email)
  and (kind <> 'loyalty_number' or derived.family_alike(l, r) or l.birth_digits = r.birth_digits or l.email = r.email
       or l.phone = r.phone)
  and (kind <> 'phone' or derived.family_agree(l, r))
  and (kind not in ('email', 'phone') or derived.family_agree(l, r) or l.given_name = r.given_name)
  and (verified or not needs_verified)
qualify row_number() over (partition by left_record, right_record, judge order by evidence::varchar) = 1

-- name: append_changed
-- Judgements that are new: the verdict changed, or the weight moved by more than the tolerance.
insert into ledger.judgement (left_record, right_record, verdict, judge, log_odds, evidence, run_id, recorded_at)
select n.left_record, n.right_record, n.verdict, n.judge, n.log_odds, n.evidence, $run_id, $recorded_at
from judged_now n
left join derived.judgement k
  on k.left_record = n.left_record and k.right_record = n.right_record
 and (k.judge = n.judge or (k.judge like 'model:%' and n.judge like 'model:%'))
where k.judge is null or k.verdict <> n.verdict
   or abs(coalesce(k.log_odds, 0) - coalesce(n.log_odds, 0)) > $tolerance
order by n.left_record, n.right_record, n.judge

-- name: withdraw
-- Judgements of this kind of judge that nothing supports any more.
insert into ledger.judgement (left_record, right_record, verdict, judge, log_odds, evidence, run_id, recorded_at)
select k.left_record, k.right_record, 'non_match', k.judge, null, '{"withdrawn": true}', $run_id, $recorded_at
from derived.judgement k
where k.judge like $judges and (k.verdict <> 'non_match' or (k.evidence->>'contradiction') is not null) and not exists (
    from judged_now n where n.left_record = k.left_record and n.right_record = k.right_record
      and (n.judge = k.judge or k.judge like 'model:%')
)
order by k.left_record, k.right_record, k.judge

-- name: rule_judgements
-- Temporary: what the rules say now.
create or replace temp table judged_now as from judged_by_rule

-- name: weight_judgements
-- Temporary: what the linkage model says now, each pair with its verdict. Two records that contradict each other (a Jr and
-- a Sr, birth dates as one person hardly ever has) are none, whatever they weigh.
create or replace temp table judged_now as
select "left" as left_record, "right" as right_record,
       case when c.reason is not null then 'non_match' when w.match_probability >= $high then 'match'
            when w.match_probability >= $low then 'unsure' else 'non_match' end as verdict,
       $judge as judge, w.log_odds,
       json_merge_patch(
           case when c.reason is null then '{}'::json else json_object('contradiction', c.reason) end,
           case when w.log_odds is null then '{}'::json
                else json_object('match_weight', w.match_weight, 'match_probability', w.match_probability,
                                 'levels', w.levels::json, 'proposed_by', w.blocked_by) end
       ) as evidence
from weighed w full join contradicting c using ("left", "right")
