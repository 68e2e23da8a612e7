-- The whole warehouse on one page.
--
-- ledger.*   what happened. Append-only: the triggers at the end refuse update, delete and truncate.
-- derived.*  what follows from it. Any of it may be dropped and rebuilt; the steps do so.
-- "record" is always the text source:object:source_id, "profile" the persistent profile id, times are UTC.

create schema ledger;
create schema derived;

-- ---------------------------------------------------------------------------------------------- ledger

create sequence ledger.fact_number;

create table ledger.migration (name varchar not null, applied_at timestamptz not null);

-- This command began, with this code, this policy and this linkage model.
create table ledger.run (
    run_id varchar not null primary key, command varchar not null, code_version varchar not null,
    policy json not null, model_hash varchar not null, began_at timestamptz not null
);

-- ... and ended with these counts. A run without this row was cut off.
create table ledger.run_end (
    run_id varchar not null primary key, outcome varchar not null, counts json not null, ended_at timestamptz not null
);

-- This source said this, then.
create table ledger.source_record (
    fact bigint not null default nextval('ledger.fact_number'),
    record varchar not null, source varchar not null, object varchar not null, source_id varchar not null,
    content_hash varchar not null, raw varchar not null using compression zstd, kind varchar not null,
    body json not null using compression zstd,
    changed_at timestamptz, fetched_at timestamptz not null, run_id varchar not null, correlation_id varchar not null
);

-- This payload was refused for these field-level reasons ('refused'), or was read after a fix ('accepted').
create table ledger.quarantine (
    fact bigint not null default nextval('ledger.fact_number'),
    source varchar not null, object varchar not null, source_id varchar, content_hash varchar not null,
    raw varchar not null, state varchar not null, reasons json not null,
    recorded_at timestamptz not null, run_id varchar not null, correlation_id varchar not null
);

-- Everything that changed at this source in this window is on disk. The latest is the watermark.
create table ledger.landing (
    fact bigint not null default nextval('ledger.fact_number'),
    source varchar not null, object varchar not null, since timestamptz, until timestamptz not null,
    pages bigint not null, landed bigint not null, refused bigint not null, known bigint not null,
    run_id varchar not null, recorded_at timestamptz not null
);

-- A full read was compared with what had landed: records that a delta had missed, that the source no longer has, and that
-- the read did not bring although the source has them.
create table ledger.reconciliation (
    fact bigint not null default nextval('ledger.fact_number'),
    source varchar not null, object varchar not null, missed bigint not null, vanished bigint not null,
    unlisted bigint not null, run_id varchar not null, recorded_at timestamptz not null
);

-- This pair is match / unsure / non_match, judged by rule:..., model:... or steward:..., on this evidence.
create table ledger.judgement (
    fact bigint not null default nextval('ledger.fact_number'),
    left_record varchar not null, right_record varchar not null, verdict varchar not null, judge varchar not null,
    log_odds double, evidence json not null, run_id varchar not null, recorded_at timestamptz not null
);

-- This record joined or left this profile, because of that.
create table ledger.membership (
    fact bigint not null default nextval('ledger.fact_number'),
    record varchar not null, profile varchar not null, change varchar not null, because json not null,
    run_id varchar not null, recorded_at timestamptz not null
);

-- We now believe this profile, field by field, from whom; or it is retired, superseded by another.
create table ledger.profile_version (
    fact bigint not null default nextval('ledger.fact_number'),
    profile varchar not null, version bigint not null, state varchar not null, superseded_by varchar,
    golden json not null, content_hash varchar not null, run_id varchar not null, recorded_at timestamptz not null
);

-- Sources disagree: all candidates, the winner, the rule; or the disagreement is settled.
create table ledger.conflict (
    fact bigint not null default nextval('ledger.fact_number'),
    conflict_id varchar not null, kind varchar not null, profile varchar not null, attribute varchar not null,
    candidates json not null, winner varchar, rule varchar not null, state varchar not null,
    run_id varchar not null, recorded_at timestamptz not null
);

-- Points moved on a loyalty account.
create table ledger.loyalty_entry (
    fact bigint not null default nextval('ledger.fact_number'),
    programme varchar not null, account varchar not null, external_id varchar not null, movement varchar not null,
    points bigint not null, occurred_at timestamptz not null, expires_on date, order_ref varchar, reverses varchar,
    record varchar not null, run_id varchar not null
);

-- A person said yes or no at a contact point.
create table ledger.consent_event (
    fact bigint not null default nextval('ledger.fact_number'),
    contact_point varchar not null, channel varchar not null, brand varchar, purpose varchar not null,
    status varchar not null, said_at timestamptz, proof varchar, record varchar not null, source varchar not null,
    run_id varchar not null
);

-- This profile's document, in this content and with this field map, was put to the outbox of this destination.
create table ledger.rendering (
    fact bigint not null default nextval('ledger.fact_number'),
    destination varchar not null, profile varchar not null, document_hash varchar not null,
    messages bigint not null, run_id varchar not null, recorded_at timestamptz not null
);

-- A message was queued for, accepted by, rejected by or left unknown at a destination.
create table ledger.publication (
    fact bigint not null default nextval('ledger.fact_number'),
    destination varchar not null, object varchar not null, target_key varchar not null, profile varchar not null,
    sequence bigint not null, message_rank bigint not null, write_once boolean not null,
    payload_hash varchar not null, payload varchar, idempotency_key varchar not null, state varchar not null,
    code varchar, reason varchar, target_id varchar, correlation_id varchar not null,
    run_id varchar not null, recorded_at timestamptz not null
);

-- Where a refused change would have gone. Always empty: the attempt is an error and is rolled back.
create table ledger.refused (reason varchar);

-- ------------------------------------------------------------------------------- derived: rebuilt by steps

-- gather: each person-bearing record as its source tells it, nothing cleaned.
create table derived.told (
    record varchar not null, source varchar not null, object varchar not null, changed_at timestamptz,
    title varchar, given_name varchar, middle_name varchar, family_name varchar, full_name varchar,
    name_suffix varchar, organisation varchar, sex varchar, birth_date varchar, birth_year varchar,
    email varchar, email_verified boolean, phone varchar, phone_verified boolean,
    address_line varchar, house_number varchar, street varchar, postcode varchar, city varchar, region varchar,
    country varchar, address json, language varchar, brand varchar, store varchar,
    national_id varchar, loyalty_number varchar
);

-- gather: every value by which a record may be identified, as told.
create table derived.told_identifier (
    record varchar not null, kind varchar not null, value varchar not null, verified boolean, country varchar
);

-- gather: every answer about being written to, as told; `kind` is the kind of its contact point: email, phone, other.
create table derived.told_consent (
    record varchar not null, source varchar not null, kind varchar not null, contact_point varchar not null,
    country varchar, channel varchar not null, brand varchar, purpose varchar not null, status varchar not null,
    said_at timestamptz, proof varchar
);

-- gather: every order with the record of the person who made it.
create table derived.purchase (
    order_record varchar not null, owner varchar not null, source varchar not null, number varchar not null,
    placed_at timestamptz not null, channel varchar not null, currency varchar not null,
    total decimal(18, 4) not null, body json not null
);

-- gather: an order, refund or payment that refers to something that has not landed yet, and waits for it.
create table derived.waiting (record varchar not null, refers_to varchar not null, reason varchar not null);

-- standardise: each person-bearing record in one spelling; made anew by each run. A value that stands for nothing is NULL
-- and named in `kept_out`.
create table derived.record (
    record varchar, source varchar, given_name varchar, middle_name varchar, family_name varchar, name_suffix varchar,
    full_name varchar, sex varchar, birth_date date, birth_year bigint, email varchar, email_local varchar,
    email_domain varchar, phone varchar, phone_national varchar, house_number varchar, street varchar, postcode varchar,
    city varchar, region varchar, country varchar, national_id varchar, loyalty_number varchar, is_person boolean,
    kept_out varchar[], given_forms varchar[], given_sound varchar, family_key varchar, family_sound varchar,
    name_tokens varchar[], birth_digits varchar, mailbox varchar, phone_key varchar, address varchar, district varchar,
    other_1 varchar, other_2 varchar, other_3 varchar, other_4 varchar, family_mailbox boolean, given_sex varchar
);

-- identify: the normal form of every told e-mail, phone and other contact point; NULL for what is none. `landline` is NULL where
-- the numbering plan does not tell landlines from mobiles.
create table derived.spelling (
    kind varchar not null, value varchar not null, country varchar, normal varchar, landline boolean
);

-- identify: identifiers in normal form; `usable` is false where a guard keeps the value from being a key. `household`: it is a
-- landline, a number that may be one and that people of two known names hold, or a family's mailbox, and so may be anybody's of a
-- household.
create table derived.identifier (
    record varchar not null, kind varchar not null, value varchar not null, verified boolean not null,
    holders bigint not null, people bigint not null, usable boolean not null, guard varchar, household boolean
);

-- loyalty: every account with its owner. `balance` is what we publish: told by the source, else the sum of entries.
create table derived.loyalty_account (
    programme varchar not null, account varchar not null, profile varchar not null, record varchar not null,
    status varchar not null, tier varchar, tier_expires_on date, enrolled_at timestamptz,
    balance bigint not null, told_balance bigint, entry_balance bigint
);

-- survive: policy as rows. Lower rank is more trusted; criteria apply in ascending position.
create table derived.trust (field varchar not null, source varchar not null, rank bigint not null);
create table derived.preference (field varchar not null, position bigint not null, criterion varchar not null);

-- ------------------------------------------------------------------------ derived: when two records can be one person

-- Whether what two records say of themselves can be one person. Silence contradicts nobody.
create macro derived.given_agree(l, r) as
    l.given_name is null or r.given_name is null or l.given_name = r.given_name or list_has_any(l.given_forms, r.given_forms)
    or (least(length(l.given_name), length(r.given_name)) = 1 and left(l.given_name, 1) = left(r.given_name, 1));

-- Whether two given names may be one, told with a slip of the finger: two names that are known are two.
create macro derived.given_slip(l, r) as
    (l.given_sex || r.given_sex not in ('mf', 'fm')) is not false
    and jaro_winkler_similarity(l.given_name, r.given_name) >= 0.9
    and (l.given_sex is null or r.given_sex is null or list_has_any(l.given_forms, r.given_forms)
         or starts_with(l.given_name, r.given_name) or starts_with(r.given_name, l.given_name));

-- Whether two given names may be one in the mouth of those who use one telephone: a slip, a pet name, the family name in its
-- place; not a man's and a woman's.
create macro derived.given_alike(l, r) as
    derived.given_agree(l, r) or l.given_name = r.family_key or l.family_key = r.given_name
    or (l.given_sex || r.given_sex not in ('mf', 'fm')) is not false and (
        (l.given_sex is null or r.given_sex is null) and jaro_winkler_similarity(l.given_name, r.given_name) >= 0.8
        or length(l.given_name) >= 4 and starts_with(r.given_name, left(l.given_name, -1))
        or length(r.given_name) >= 4 and starts_with(l.given_name, left(r.given_name, -1)));

-- A family name may be told short, double or with a slip of the finger.
create macro derived.family_agree(l, r) as
    l.family_key is null or r.family_key is null or l.family_key = r.family_key
    or contains(l.family_key, r.family_key) or contains(r.family_key, l.family_key)
    or jaro_winkler_similarity(l.family_key, r.family_key) >= 0.92;

-- Whether the numbers in two addresses may be one, mistyped: two digits in each other's place, or one too few.
create macro derived.digits_slip(l, r) as
    l <> '' and list_sort(string_split(l, '')) = list_sort(string_split(r, ''))
    or length(l) <> length(r) and least(length(l), length(r)) >= 2;

-- Whether a family name may be the other, misspelt or in the given name's place: what one card's holders have in common.
create macro derived.family_alike(l, r) as
    derived.family_agree(l, r) or jaro_winkler_similarity(l.family_key, r.family_key) >= 0.8
    or l.given_name = r.family_key or l.family_key = r.given_name;

-- Birth dates may differ by one digit or by day and month in the other's place, never by more.
create macro derived.birth_agree(l, r) as
    l.birth_digits is null or r.birth_digits is null or l.birth_digits = r.birth_digits
    or (left(l.birth_digits, 4) = left(r.birth_digits, 4)
        and l.birth_digits[5:6] = r.birth_digits[7:8] and l.birth_digits[7:8] = r.birth_digits[5:6])
    or (length(l.birth_digits) = length(r.birth_digits) and hamming(l.birth_digits, r.birth_digits) <= 1);

-- Jr is not Sr.
create macro derived.suffix_agree(l, r) as
    l.name_suffix is null or r.name_suffix is null or l.name_suffix = r.name_suffix;

-- Whether neither brings an e-mail or a phone that differs from the other's.
create macro derived.contact_agree(l, r) as
    (l.email is null or r.email is null or l.email = r.email) and (l.phone is null or r.phone is null or l.phone = r.phone);

-- ------------------------------------------------------------------------------------- derived: views

-- The latest version of every source record that its source still has. A deletion without a time of change (a full read
-- no longer found the record) ends whatever was told before it, not what is told afterwards.
create view derived.current_record as
select * exclude (recency) from (
    select s.*, row_number() over (partition by s.record order by s.changed_at desc nulls last, s.fact desc) as recency
    from ledger.source_record s where not exists (
        from ledger.source_record e
        where e.kind = 'deletion' and e.changed_at is null and e.record = s.record and e.fact >= s.fact
    )
) where recency = 1 and kind <> 'deletion';

-- Who is meant where an order or a membership names a customer of its source. Newsletter subscribers have numbers of
-- their own, which are no customers' numbers.
create view derived.customer as
select record, source, source_id from derived.current_record where kind = 'person' and object <> 'subscriber';

-- Payloads that were refused, not accepted since, and not replaced by a good version from the source itself.
create view derived.rejected as
select * exclude (recency) from (
    select *, row_number() over (partition by source, object, content_hash order by fact desc) as recency
    from ledger.quarantine
) q where recency = 1 and state = 'refused' and not exists (
    from ledger.source_record s
    where s.source = q.source and s.object = q.object and s.source_id = q.source_id and s.fact > q.fact
);

-- Per source and object: up to when everything is on disk.
create view derived.watermark as
select source, object, max(until) as until from ledger.landing group by source, object;

-- The answer that holds for each pair: stewards first, then the latest of each judge.
create view derived.judgement as
select * exclude (recency) from (
    select *, row_number() over (
        partition by left_record, right_record, case when judge like 'steward:%' then 'steward' when judge like 'model:%'
        then 'model' else judge end order by fact desc) as recency
    from ledger.judgement
) where recency = 1;

-- Which profile each record belongs to now.
create view derived.crosswalk as
select record, profile, run_id, recorded_at from (
    select *, row_number() over (partition by record order by fact desc) as recency from ledger.membership
) where recency = 1 and change = 'joined';

-- The latest version of every profile, retired ones included.
create view derived.profile as
select * exclude (recency) from (
    select *, row_number() over (partition by profile order by fact desc) as recency from ledger.profile_version
) where recency = 1;

-- Conflicts that wait for a steward.
create view derived.open_conflict as
select * exclude (recency) from (
    select *, row_number() over (partition by conflict_id order by fact desc) as recency from ledger.conflict
) where recency = 1 and state = 'open';

-- Points per loyalty account: the sum of its entries.
create view derived.balance as
select programme, account, sum(points)::bigint as balance, count(*) as entries, max(occurred_at) as last_at
from ledger.loyalty_entry group by programme, account;

-- The answer that holds for a profile at each of its contact points: the newest dated one; on a tie, or where none is
-- dated, a no wins over a yes. A no counts for everybody who is reached there, a yes only for whoever gave it; a no that
-- names no brand is a no to each.
create view derived.consent as
with said as (
    select c.profile, e.* from ledger.consent_event e join derived.crosswalk c using (record)
    union
    select c.profile, e.*
    from ledger.consent_event e join derived.identifier i on i.value = e.contact_point
    join derived.crosswalk c on c.record = i.record
    where e.status = 'opt_out'
), heard as (
    from said
    union all
    select s.* replace (b.brand as brand)
    from said s join (
        select distinct profile, contact_point, channel, purpose, brand from said where brand is not null
    ) b using (profile, contact_point, channel, purpose)
    where s.status = 'opt_out' and s.brand is null
)
select * exclude (recency) from (
    select *, row_number() over (
        partition by profile, contact_point, channel, brand, purpose
        order by said_at desc nulls last, case status when 'opt_out' then 0 when 'pending' then 1 else 2 end, fact
    ) as recency
    from heard
) where recency = 1;

-- The latest state of every message.
create view derived.message as
select * exclude (recency) from (
    select *, row_number() over (partition by destination, object, target_key, sequence order by fact desc) as recency
    from ledger.publication
) where recency = 1;

-- What each destination holds, as far as we know: the latest accepted message per key.
create view derived.target_state as
select * exclude (recency) from (
    select *, row_number() over (partition by destination, object, target_key order by sequence desc) as recency
    from derived.message where state = 'accepted'
) where recency = 1;

-- Messages that a destination refused and that nothing newer has replaced.
create view derived.error_queue as
select m.* from derived.message m
where m.state = 'rejected' and not exists (
    from derived.message n where n.destination = m.destination and n.object = m.object
    and n.target_key = m.target_key and n.sequence > m.sequence
);

-- What a destination has yet to hear. Of each key only the newest counts, except where every message does; what
-- follows a refused message of the same profile waits until that is mended.
create view derived.outbox as
with waiting as (
    select * from derived.message
    qualify write_once or sequence = max(sequence) over (partition by destination, object, target_key)
)
select m.* exclude (payload), q.payload from waiting m
join ledger.publication q using (destination, object, target_key, sequence)
where m.state in ('queued', 'unknown') and q.state = 'queued' and q.payload is not null and not exists (
    from derived.error_queue e
    where e.destination = m.destination and e.profile = m.profile and e.message_rank < m.message_rank
);

-- ------------------------------------------------------------------------------ the ledger cannot be edited

create trigger run_keeps_history after update on ledger.run for each statement
    insert into ledger.refused select error('ledger.run is append-only');
create trigger run_keeps_facts after delete on ledger.run for each statement
    insert into ledger.refused select error('ledger.run is append-only');
create trigger run_end_keeps_history after update on ledger.run_end for each statement
    insert into ledger.refused select error('ledger.run_end is append-only');
create trigger run_end_keeps_facts after delete on ledger.run_end for each statement
    insert into ledger.refused select error('ledger.run_end is append-only');
create trigger source_record_keeps_history after update on ledger.source_record for each statement
    insert into ledger.refused select error('ledger.source_record is append-only');
create trigger source_record_keeps_facts after delete on ledger.source_record for each statement
    insert into ledger.refused select error('ledger.source_record is append-only');
create trigger quarantine_keeps_history after update on ledger.quarantine for each statement
    insert into ledger.refused select error('ledger.quarantine is append-only');
create trigger quarantine_keeps_facts after delete on ledger.quarantine for each statement
    insert into ledger.refused select error('ledger.quarantine is append-only');
create trigger landing_keeps_history after update on ledger.landing for each statement
    insert into ledger.refused select error('ledger.landing is append-only');
create trigger landing_keeps_facts after delete on ledger.landing for each statement
    insert into ledger.refused select error('ledger.landing is append-only');
create trigger reconciliation_keeps_history after update on ledger.reconciliation for each statement
    insert into ledger.refused select error('ledger.reconciliation is append-only');
create trigger reconciliation_keeps_facts after delete on ledger.reconciliation for each statement
    insert into ledger.refused select error('ledger.reconciliation is append-only');
create trigger judgement_keeps_history after update on ledger.judgement for each statement
    insert into ledger.refused select error('ledger.judgement is append-only');
create trigger judgement_keeps_facts after delete on ledger.judgement for each statement
    insert into ledger.refused select error('ledger.judgement is append-only');
create trigger membership_keeps_history after update on ledger.membership for each statement
    insert into ledger.refused select error('ledger.membership is append-only');
create trigger membership_keeps_facts after delete on ledger.membership for each statement
    insert into ledger.refused select error('ledger.membership is append-only');
create trigger profile_version_keeps_history after update on ledger.profile_version for each statement
    insert into ledger.refused select error('ledger.profile_version is append-only');
create trigger profile_version_keeps_facts after delete on ledger.profile_version for each statement
    insert into ledger.refused select error('ledger.profile_version is append-only');
create trigger conflict_keeps_history after update on ledger.conflict for each statement
    insert into ledger.refused select error('ledger.conflict is append-only');
create trigger conflict_keeps_facts after delete on ledger.conflict for each statement
    insert into ledger.refused select error('ledger.conflict is append-only');
create trigger loyalty_entry_keeps_history after update on ledger.loyalty_entry for each statement
    insert into ledger.refused select error('ledger.loyalty_entry is append-only');
create trigger loyalty_entry_keeps_facts after delete on ledger.loyalty_entry for each statement
    insert into ledger.refused select error('ledger.loyalty_entry is append-only');
create trigger consent_event_keeps_history after update on ledger.consent_event for each statement
    insert into ledger.refused select error('ledger.consent_event is append-only');
create trigger consent_event_keeps_facts after delete on ledger.consent_event for each statement
    insert into ledger.refused select error('ledger.consent_event is append-only');
create trigger rendering_keeps_history after update on ledger.rendering for each statement
    insert into ledger.refused select error('ledger.rendering is append-only');
create trigger rendering_keeps_facts after delete on ledger.rendering for each statement
    insert into ledger.refused select error('ledger.rendering is append-only');
create trigger publication_keeps_history after update on ledger.publication for each statement
    insert into ledger.refused select error('ledger.publication is append-only');
create trigger publication_keeps_facts after delete on ledger.publication for each statement
    insert into ledger.refused select error('ledger.publication is append-only');
create trigger migration_keeps_history after update on ledger.migration for each statement
    insert into ledger.refused select error('ledger.migration is append-only');
create trigger migration_keeps_facts after delete on ledger.migration for each statement
    insert into ledger.refused select error('ledger.migration is append-only');
