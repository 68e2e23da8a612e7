-- name: run_latest
-- One row: the latest run of any of these commands that ended.
select r.run_id, r.command, r.began_at, e.ended_at, e.outcome, e.counts
from ledger.run r join ledger.run_end e using (run_id) order by r.began_at desc, r.run_id desc limit 1

-- name: runs
-- The latest runs, with how they ended.
select r.run_id, r.command, r.began_at, e.ended_at, coalesce(e.outcome, 'cut off') as outcome, e.counts
from ledger.run r left join ledger.run_end e using (run_id) order by r.began_at desc, r.run_id desc limit $limit

-- name: sources
-- Per source and object: what is on disk, what is refused, up to when it is complete.
select coalesce(k.source, q.source) as source, coalesce(k.object, q.object) as object, coalesce(k.records, 0) as records,
       coalesce(k.versions, 0) as versions, coalesce(q.rejected, 0) as rejected, w.until as complete_until
from (
    select source, object, count(distinct record) as records, count(*) as versions from ledger.source_record group by all
) k
full join (select source, object, count(*) as rejected from derived.rejected group by all) q
  on q.source = k.source and q.object = k.object
left join derived.watermark w on w.source = coalesce(k.source, q.source) and w.object = coalesce(k.object, q.object)
order by source, object

-- name: landed_by_run
-- What one run landed, per source and object; also where a source went down before its window was whole.
select source, object, sum(landed)::bigint as landed, sum(refused)::bigint as refused, sum(known)::bigint as known from (
    select source, object, 1 as landed, 0 as refused, 0 as known from ledger.source_record where run_id = $run_id
    union all
    select source, object, 0, 1, 0 from ledger.quarantine where run_id = $run_id and state = 'refused'
    union all
    select source, object, 0, 0, known from ledger.landing where run_id = $run_id
) group by all order by all

-- name: compared_by_run
-- What the full reads of one run found beside their records.
select source, object, missed as missed_by_deltas, vanished as no_longer_there, unlisted as there_but_not_listed
from ledger.reconciliation where run_id = $run_id order by source, object

-- name: refusals
-- Payloads in quarantine with their reasons.
select source, object, source_id, reasons, correlation_id, recorded_at from derived.rejected order by fact limit $limit

-- name: quarantine
-- Payloads in quarantine, of one source or of all, newest first, with the payload as it came.
select source, object, source_id, reasons, correlation_id, recorded_at, raw from derived.rejected
where $source is null or source = $source order by recorded_at desc, fact desc limit $limit

-- name: waiting_records
-- Records that refer to one which has not landed, as of the latest resolution.
select record, refers_to, reason from derived.waiting
where $source is null or starts_with(record, $source || ':') order by record limit $limit

-- name: quarantine_in_all
-- One row: how many payloads of a source, or of all, are refused, how many records wait, and whether something has landed
-- since it was worked out who waits.
select (select count(*) from derived.rejected where $source is null or source = $source) as refused_in_all,
    (select count(*) from derived.waiting where $source is null or starts_with(record, $source || ':')) as waiting_in_all,
    coalesce((select max(fetched_at) from ledger.source_record) > coalesce(
        (select max(ended_at) from ledger.run join ledger.run_end using (run_id) where command not in ('land', 'publish')),
        '-infinity'::timestamptz), false) as landed_since

-- name: refusal_reasons
-- Why payloads were refused, and how many for each reason.
select source, object, r->>'path' as path, r->>'problem' as problem, count(*) as payloads
from (select source, object, unnest(from_json(reasons, '["JSON"]')) as r from derived.rejected)
group by all order by payloads desc, source, object, path, problem

-- name: verdicts
-- Pairs by the judge that holds for them and its verdict.
select case when judge like 'model:%' then 'match weight' else judge end as judge, verdict, count(*) as pairs
from derived.judgement group by all order by all

-- name: joins
-- Memberships now, by what ties the record to its profile.
select case when because->>'carried_by' is not null then 'only person with this ' || (because->>'only_person_with')
            when because->>'judge' is null then 'alone' when because->>'judge' like 'model:%' then 'match weight'
            else because->>'judge' end as tied_by, count(*) as records
from derived.crosswalk c join ledger.membership m using (record, profile, run_id, recorded_at)
where m.change = 'joined' group by all order by records desc, tied_by

-- name: totals
-- One row: the warehouse in figures.
select
    (select count(*) from derived.record) as records,
    (select count(*) from derived.profile where state = 'active') as profiles,
    (select count(*) from (select profile from derived.crosswalk group by profile having count(*) > 1)) as profiles_of_several,
    (select count(*) from derived.profile where state = 'retired') as merged_away,
    (select count(*) from derived.purchase) as orders,
    (select count(*) from derived.purchase p where exists (from derived.crosswalk c where c.record = p.owner)) as orders_attached,
    (select count(*) from derived.waiting) as waiting,
    (select count(*) from derived.loyalty_account) as loyalty_accounts,
    (select coalesce(sum(balance), 0)::bigint from derived.loyalty_account) as points

-- name: conflicts
-- Open conflicts by kind.
select kind, count(*) as conflicts from derived.open_conflict group by all order by all

-- name: publications
-- Per destination and object: how many messages stand in which state.
select destination, object, state, count(*) as messages from derived.message group by all order by all

-- name: sent_by_run
-- Receipts of one run, per destination and object.
select destination, object, state, count(*) as messages
from ledger.publication where run_id = $run_id and state <> 'queued' group by all order by all

-- name: outbox
-- Per destination: messages that wait, and those that were refused.
select destination, sum(waiting)::bigint as waiting, sum(refused)::bigint as refused from (
    select destination, count(*) as waiting, 0 as refused from derived.outbox group by all
    union all select destination, 0, count(*) from derived.error_queue group by all
) group by all order by all

-- name: error_queue
-- Messages that a destination refused: which, why, and the id to search for.
select destination, object, target_key, profile, code, reason, correlation_id, recorded_at from derived.error_queue
order by recorded_at desc, destination, object, target_key limit $limit

-- name: record
-- One row: the record as told and as standardised, and where it belongs.
select t.record, t.source, t.object, t.changed_at, c.profile,
       concat_ws(' ', t.title, coalesce(t.full_name, concat_ws(' ', t.given_name, t.middle_name, t.family_name)), t.name_suffix) as name,
       t.email, t.phone, t.birth_date, concat_ws(', ', t.address_line, t.postcode, t.city, t.country) as address,
       t.loyalty_number, r.kept_out, r.is_person
from derived.told t left join derived.record r using (record) left join derived.crosswalk c using (record)
where t.record = $record

-- name: membership_history
-- Every move of a record, oldest first.
select m.record, m.profile, m.change, m.because, m.run_id, m.recorded_at from ledger.membership m
where m.record = $record order by m.fact

-- name: record_identifiers
-- The identifiers of a record, the guards on them, and whether they may be anybody's of a household.
select kind, value, verified, holders, people, usable, guard, household
from derived.identifier where record = $record order by kind, value

-- name: record_judgements
-- The judgements about a record that hold now, strongest first, with the run that made each.
select case when left_record = $record then right_record else left_record end as other, verdict, judge, log_odds, evidence,
       run_id, recorded_at
from derived.judgement where (left_record = $record or right_record = $record) and verdict <> 'non_match'
order by coalesce(log_odds, 1000) desc, other, judge

-- name: pair_judgements
-- Every judgement about a pair, oldest first.
select verdict, judge, log_odds, evidence, run_id, recorded_at from ledger.judgement
where left_record = $left and right_record = $right order by fact

-- name: ties
-- The judgements that tie the records of a profile to each other.
select j.left_record, j.right_record, j.judge, j.verdict, j.log_odds
from derived.judgement j
join derived.crosswalk a on a.record = j.left_record join derived.crosswalk b on b.record = j.right_record
where a.profile = $profile and b.profile = $profile and j.verdict <> 'non_match'
order by j.left_record, j.right_record, j.judge

-- name: profile
-- One row: the profile as it stands.
select profile, version, state, superseded_by, golden, run_id, recorded_at from derived.profile where profile = $profile

-- name: profile_members
-- The records of a profile with what ties each to it.
select c.record, m.because, m.run_id, m.recorded_at
from derived.crosswalk c join ledger.membership m using (record, profile, run_id, recorded_at)
where c.profile = $profile and m.change = 'joined' order by c.record

-- name: profile_history
-- What happened to a profile, oldest first: versions, and records that came and went.
select fact, recorded_at, run_id, 'version ' || version as event, state || coalesce(', superseded by ' || superseded_by, '') as detail
from ledger.profile_version where profile = $profile
union all
select fact, recorded_at, run_id, change, record from ledger.membership where profile = $profile
order by fact

-- name: profile_conflicts
-- The open conflicts of a profile.
select conflict_id, kind, attribute, candidates, winner, rule, recorded_at from derived.open_conflict
where profile = $profile or contains(attribute, $profile) order by kind, attribute

-- name: profile_publications
-- What destinations were told about a profile.
select destination, object, target_key, sequence, state, code, recorded_at from derived.message
where profile = $profile order by destination, message_rank, object, target_key

-- name: profile_loyalty
-- The loyalty accounts of a profile.
select programme, account, status, tier, balance from derived.loyalty_account where profile = $profile order by all

-- name: profile_consent
-- The answers that hold for a profile.
select contact_point, channel, brand, purpose, status, said_at from derived.consent where profile = $profile order by all

-- name: run
-- One row: a run with the policy and the model it used.
select run_id, command, code_version, model_hash, began_at from ledger.run where run_id = $run_id
