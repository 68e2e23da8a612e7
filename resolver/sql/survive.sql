-- name: clear_policy
-- No rows: the policy's rows are written anew.
delete from derived.trust; delete from derived.preference

-- name: trust
-- Policy as rows: per field the sources from most to least trusted.
insert into derived.trust from trust_rows

-- name: preference
-- Policy as rows: per field the criteria in the order in which they decide.
insert into derived.preference from preference_rows

-- name: candidates
-- Temporary, in the long form: every value that a member of a profile tells, with its normal form. Names keep the
-- spelling of their source; contacts and dates have only their normal form.
create or replace temp table survive_candidate as
with told as (
    select c.profile, t.*, r.given_name as given_normal, r.middle_name as middle_normal, r.family_key as family_normal,
           r.name_suffix as suffix_normal, r.sex as sex_normal, r.birth_date as birth_normal, r.email as email_normal,
           r.phone as phone_normal, r.postcode as postcode_normal, r.house_number as house_normal
    from derived.crosswalk c join derived.told t using (record) join derived.record r using (record)
)
select profile, field, record, source, changed_at, trim(value) as value, coalesce(normal, lower(trim(value))) as normal,
       coalesce(verified, false) as verified
from told, lateral (values
    ('title', title, null, false),
    ('given_name', case when given_normal is not null then coalesce(given_name, upper(given_normal[1]) || given_normal[2:]) end, given_normal, false),
    ('middle_name', case when middle_normal is not null then coalesce(middle_name, upper(middle_normal[1]) || middle_normal[2:]) end, middle_normal, false),
    ('family_name', case when family_normal is not null then coalesce(family_name, upper(family_normal[1]) || family_normal[2:]) end, family_normal, false),
    ('name_suffix', case when suffix_normal is not null then coalesce(name_suffix, upper(suffix_normal[1]) || suffix_normal[2:]) end, suffix_normal, false),
    ('sex', sex_normal, sex_normal, false),
    ('birth_date', birth_normal::varchar, birth_normal::varchar, false),
    ('language', "language", null, false),
    ('email', email_normal, email_normal, email_verified),
    ('phone', phone_normal, phone_normal, phone_verified),
    ('address', address::varchar, concat_ws(' ', house_normal, postcode_normal), false),
    ('home_store', store, null, false),
    ('brand', brand, null, false)
) as v(field, value, normal, verified)
where nullif(trim(value), '') is not null

-- name: choices
-- Temporary: the candidates of each profile and field in the order of the policy's criteria, the winner first.
create or replace temp table survive_choice as
with weighed as (
    select c.*, coalesce(t.rank, 1000) as rank, count(*) over (partition by c.profile, c.field, c.normal) as times
    from survive_candidate c left join derived.trust t on t.field = c.field and t.source = c.source
), scored as (
    select w.profile, w.field, w.record, w.source, w.value, w.normal, w.rank,
           list(case p.criterion
               when 'trusted' then -w.rank
               when 'verified' then w.verified::int
               when 'recent' then coalesce(epoch(w.changed_at), 0)
               when 'frequent' then w.times
               when 'complete' then length(w.value)
           end::double order by p.position) as scores,
           list(p.criterion order by p.position) as criteria
    from weighed w join derived.preference p on p.field = w.field
    group by all
), placed as (
    select *, row_number() over (partition by profile, field order by scores desc, record) as place,
           lead(scores) over (partition by profile, field order by scores desc, record) as next_scores,
           count(*) over (partition by profile, field) as candidates
    from scored
)
select profile, field, record, source, value, normal, place, candidates,
       case when candidates = 1 then 'only'
            else coalesce(list_filter(criteria, lambda c, i: scores[i] > next_scores[i])[1], 'tie: first record') end as rule
from placed

-- name: golden
-- Temporary: what we believe about each profile that has members.
create or replace temp table survive_golden as
with field as (
    select profile,
           map_from_entries(list((field, value) order by field)) as value,
           to_json(list(json_object('field', field, 'record', record, 'rule', rule) order by field)) as provenance
    from survive_choice where place = 1 group by profile
), contact as (
    select c.profile,
           coalesce(list(distinct i.value) filter (where i.kind = 'email'), []) as emails,
           coalesce(list(distinct i.value) filter (where i.kind = 'phone'), []) as phones
    from derived.crosswalk c join derived.identifier i using (record)
    where i.kind in ('email', 'phone') group by c.profile
), member as (
    select profile from derived.crosswalk group by profile
)
select m.profile, json_object(
    'profile', m.profile,
    'title', f.value['title'], 'given_name', f.value['given_name'], 'middle_name', f.value['middle_name'],
    'family_name', f.value['family_name'], 'name_suffix', f.value['name_suffix'], 'sex', f.value['sex'],
    'birth_date', f.value['birth_date'], 'language', f.value['language'], 'email', f.value['email'], 'phone', f.value['phone'],
    'emails', list_sort(coalesce(c.emails, [])), 'phones', list_sort(coalesce(c.phones, [])),
    'address', f.value['address']::json, 'home_store', f.value['home_store'], 'brand', f.value['brand'],
    'provenance', coalesce(f.provenance, '[]'::json)
) as golden
from member m left join field f using (profile) left join contact c using (profile)

-- name: append_versions
-- Profiles that are new, or that we believe something else about.
insert into ledger.profile_version (profile, version, state, superseded_by, golden, content_hash, run_id, recorded_at)
select g.profile, coalesce(k.version, 0) + 1, 'active', null, g.golden, md5(g.golden::varchar), $run_id, $recorded_at
from survive_golden g left join derived.profile k using (profile)
where k.profile is null or k.state <> 'active' or k.content_hash <> md5(g.golden::varchar)
order by g.profile

-- name: append_retired
-- Profiles that lost their last record, with the profile that took most of them.
insert into ledger.profile_version (profile, version, state, superseded_by, golden, content_hash, run_id, recorded_at)
select k.profile, k.version + 1, 'retired', h.heir, k.golden, md5('retired' || coalesce(h.heir, '')), $run_id, $recorded_at
from derived.profile k
left join (
    select profile, max_by(heir, (records, heir)) as heir from (
        select f.profile, c.profile as heir, count(*) as records
        from ledger.membership f join derived.crosswalk c using (record)
        where f.change = 'left' and c.profile <> f.profile group by all
    ) group by profile
) h using (profile)
where k.state = 'active' and not exists (from survive_golden g where g.profile = k.profile)
order by k.profile

-- name: disputes
-- Contested fields on which the members of a profile disagree; the record that tells each value, one a value.
create or replace temp table dispute_now as
select 'attribute' as kind, profile, field as attribute,
       to_json(list(json_object('value', value, 'record', record, 'source', source) order by place)) as candidates,
       min_by(value, place) as winner, min_by(rule, place) as rule
from (from survive_choice qualify row_number() over (partition by profile, field, normal order by place) = 1)
where field in (select unnest($contested))
group by profile, field having count(*) > 1
