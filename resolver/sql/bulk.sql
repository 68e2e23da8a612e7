-- name: macros
-- No rows. How a person's row is told in our words. `v` holds the texts of the columns that the words need, `p` their
-- places. Texts here need no escapes: rows with a backslash are left to Python.
create or replace temp macro said(before, x) as case when x <> '' then concat(before, x, '"') else '' end;

create or replace temp macro listed(name, x) as case when x <> '' then concat(',"', name, '":[', substr(x, 2), ']') else '' end;

create or replace temp macro contact(kind, x, label, first, verified) as case when x <> '' then concat(
    ',{"kind":"', kind, '","value":"', x, '"', label, case when first then ',"primary":true' else '' end, verified, '}') else '' end;

create or replace temp macro silent(x) as (x is null or x = '');

-- A moment in ISO 8601 and UTC as JSON tells it.
create or replace temp macro moment(x) as case
    when strlen(x) = 20 and contains(x, 'T') then x
    when length(x) = 10 then x || 'T00:00:00Z'
    when x[20] <> '.' or rtrim(x[21:], '0Z') = '' then concat(x[:10], 'T', x[12:19], 'Z')
    else concat(x[:10], 'T', x[12:19], rpad(rtrim(x[20:], 'Z'), 7, '0'), 'Z') end;

create or replace temp macro consent(v, c, answers, about, brand) as
    case when v[c.status] <> '' then concat(
        ',{"contact_point":"', about, c.channel, coalesce(c.brand, said(',"brand":"', brand)), c.purpose,
        ',"status":"', answers[v[c.status]], '"',
        case when v[c.at] <> '' then concat(',"at":"', moment(v[c.at]), '"') else '' end,
        said(',"proof":"', v[c.proof]), '}') else '' end;

create or replace temp macro about(v, c, address) as
    case when c.post then address
    else coalesce(nullif(v[c.about[1]], ''), nullif(v[c.about[2]], ''), nullif(v[c.about[3]], '')) end;

create or replace temp macro personal(v, p) as concat(
    said(',"title":"', v[p.title]), said(',"given_name":"', v[p.given_name]), said(',"middle_name":"', v[p.middle_name]),
    said(',"family_name":"', v[p.family_name]), said(',"full_name":"', v[p.full_name]),
    said(',"name_suffix":"', v[p.name_suffix]), said(',"organisation":"', v[p.organisation]), said(',"sex":"', v[p.sex]),
    said(',"birth_date":"', v[p.birth_date]), said(',"birth_year":"', v[p.birth_year]),
    said(',"language":"', v[p.language]), said(',"locale":"', v[p.locale]),
    said(',"brand":"', coalesce(nullif(v[p.brand], ''), p.own_brand)), said(',"store":"', v[p.store]));

create or replace temp macro contacts(v, p) as listed('contact_points', concat(
    contact('email', v[p.email[1]], p.email_label[1], true, p.email_verified),
    contact('email', v[p.email[2]], p.email_label[2], silent(v[p.email[1]]), p.email_verified),
    contact('email', v[p.email[3]], p.email_label[3], silent(v[p.email[1]]) and silent(v[p.email[2]]), p.email_verified),
    contact('phone', v[p.phone[1]], p.phone_label[1], true, p.phone_verified),
    contact('phone', v[p.phone[2]], p.phone_label[2], silent(v[p.phone[1]]), p.phone_verified),
    contact('phone', v[p.phone[3]], p.phone_label[3], silent(v[p.phone[1]]) and silent(v[p.phone[2]]), p.phone_verified)));

create or replace temp macro located(v, p) as concat(
    said(',"line1":"', v[p.line1]), said(',"line2":"', v[p.line2]), said(',"house_number":"', v[p.house_number]),
    said(',"street":"', v[p.street]), said(',"postcode":"', v[p.postcode]), said(',"city":"', v[p.city]),
    said(',"region":"', v[p.region]), said(',"country":"', v[p.country]));

-- An address in one line; NULL where there is none.
create or replace temp macro address_line(v, p) as nullif(concat_ws(', ',
    nullif(v[p.line1], ''), nullif(v[p.line2], ''), nullif(v[p.house_number], ''), nullif(v[p.street], ''),
    nullif(v[p.postcode], ''), nullif(v[p.city], ''), nullif(v[p.region], ''), nullif(v[p.country], '')), '');

create or replace temp macro identified(before, x) as case when x <> '' then concat(before, x, '"}') else '' end;

create or replace temp macro identifiers(v, p) as listed('identifiers', concat(
    identified(p.kind_before[1], v[p.identifier[1]]), identified(p.kind_before[2], v[p.identifier[2]]),
    identified(p.kind_before[3], v[p.identifier[3]]), identified(p.kind_before[4], v[p.identifier[4]]),
    identified(p.kind_before[5], v[p.identifier[5]]), identified(p.kind_before[6], v[p.identifier[6]]),
    identified(p.kind_before[7], v[p.identifier[7]]), identified(p.kind_before[8], v[p.identifier[8]])));

create or replace temp macro consents(v, p, c, answers, address, brand) as listed('consents', concat(
    consent(v, c[1], answers, about(v, c[1], address), brand), consent(v, c[2], answers, about(v, c[2], address), brand),
    consent(v, c[3], answers, about(v, c[3], address), brand), consent(v, c[4], answers, about(v, c[4], address), brand),
    consent(v, c[5], answers, about(v, c[5], address), brand), consent(v, c[6], answers, about(v, c[6], address), brand)));

create or replace temp macro member(v, p) as case when v[p.loyalty_number] <> '' then concat(
    ',"loyalty":[{"account":"', v[p.loyalty_number], '"',
    case when v[p.loyalty_programme] <> '' and v[p.loyalty_programme] <> 'main' then said(',"programme":"', v[p.loyalty_programme])
         when silent(v[p.loyalty_programme]) then p.own_programme else '' end,
    case when v[p.loyalty_tier] <> '' then concat(',"tier":{"code":"', v[p.loyalty_tier], '"',
        said(',"expires_on":"', v[p.loyalty_tier_expires]), '}') else '' end,
    case when v[p.loyalty_points] <> '' then concat(',"balance":', v[p.loyalty_points]) else '' end,
    case when v[p.loyalty_enrolled_at] <> '' then concat(',"enrolled_at":"', moment(v[p.loyalty_enrolled_at]), '"') else '' end,
    '}]') else '' end;

-- What a person's columns say, with a comma before each part, but for the attributes.
create or replace temp macro told(v, p, c, answers) as concat(
    personal(v, p), contacts(v, p),
    case when located(v, p) <> '' then concat(',"addresses":[{', substr(located(v, p), 2), ',"primary":true}]') else '' end,
    identifiers(v, p), consents(v, p, c, answers, address_line(v, p), coalesce(nullif(v[p.brand], ''), p.own_brand)),
    member(v, p),
    case when v[p.created_at] <> '' then concat(',"created_at":"', moment(v[p.created_at]), '"') else '' end);

create or replace temp macro listed_by_name(x) as case when x <> '' then concat(',"attributes":{', substr(x, 2), '}') else '' end;

-- Columns under their own names, without those that say nothing, with a comma before.
create or replace temp macro attributes(v, p) as listed_by_name(
    array_to_string(list_transform(v[p.first_attribute:], lambda x, i: said(p.attribute_before[i], x)), ''));

-- Whether an answer is about something.
create or replace temp macro answered(v, c, about) as c.status is null or silent(v[c.status]) or about is not null;

-- Whether every answer is.
create or replace temp macro is_answered(v, p, c) as
    answered(v, c[1], about(v, c[1], address_line(v, p))) and answered(v, c[2], about(v, c[2], address_line(v, p)))
    and answered(v, c[3], about(v, c[3], address_line(v, p))) and answered(v, c[4], about(v, c[4], address_line(v, p)))
    and answered(v, c[5], about(v, c[5], address_line(v, p))) and answered(v, c[6], about(v, c[6], address_line(v, p)));

-- name: read_ndjson
-- The lines of a stretch as they stand; NULL for one that is no JSON.
create or replace temp table stretch as
select v[$p.id] as id, try_cast(nullif(v[$p.changed_at], '') as timestamptz) as changed_at,
    concat('{', ltrim(concat(told(v, $p, $c, map($asked, $meant)), attributes(v, $p)), ','), '}') as body,
    $before || line || '}' as raw, hashed($before || line || '}') as content_hash,
    coalesce(regexp_matches(line, $plain) and is_answered(v, $p, $c), false) as plain
from (
    select json::varchar as line, json_extract_string(json, $pointers) as v
    from read_ndjson_objects($path, ignore_errors => true, maximum_object_size => $longest)
)

-- name: read_csv
-- The rows of a stretch as JSON objects.
create or replace temp table stretch as
select v[$p.id] as id, try_cast(nullif(v[$p.changed_at], '') as timestamptz) as changed_at,
    concat('{', ltrim(concat(told(v, $p, $c, map($asked, $meant)), attributes(v, $p)), ','), '}') as body,
    $before || line || '}' as raw, hashed($before || line || '}') as content_hash,
    coalesce(regexp_matches(line, $plain) and is_answered(v, $p, $c), false) as plain
from (
    select line::varchar as line, json_extract_string(line, $pointers) as v
    from (
        select to_json(cells) as line from read_csv(
            $path, columns => $columns, auto_detect => false, header => false, delim => $delimiter, quote => '"', escape => '"',
            strict_mode => true, new_line => '\n', max_line_size => $longest) cells
    )
)

-- name: read_parquet
-- The rows of a stretch as JSON objects.
create or replace temp table stretch as
select v[$p.id] as id, try_cast(nullif(v[$p.changed_at], '') as timestamptz) as changed_at,
    concat('{', ltrim(concat(told(v, $p, $c, map($asked, $meant)), attributes(v, $p)), ','), '}') as body,
    $before || line || '}' as raw, hashed($before || line || '}') as content_hash,
    coalesce(regexp_matches(line, $plain) and is_answered(v, $p, $c), false) as plain
from (
    select line::varchar as line, json_extract_string(line, $pointers) as v
    from (select to_json(cells) as line from (select columns(*)::varchar from read_parquet($path)) cells)
)

-- name: rows
-- One row: how many rows were read.
select count(*) from stretch

-- name: together
-- Plain rows that tell of a record of which a row that is not plain tells too: all of them go one way, or the order in which
-- the file tells them would be lost.
update stretch set plain = false where plain and id in (select trim(id) from stretch where not plain)

-- name: doubtful
-- Rows about which Python is asked, in the order of the file: position, and the row as a JSON object, NULL if it is none.
select rowid, substr(raw, length($before) + 1, length(raw) - length($before) - 1) from stretch where not plain order by rowid

-- name: apart
-- One row: how many plain rows tell of a record of which Python was told by another row too. `together` knows only those
-- whose id DuckDB reads as Python does: not one in a line that is no JSON to it, or with an odd blank around it.
select count(*) from stretch where plain and concat($id_prefix, id) in (select unnest($told::varchar[]))

-- name: numbered
-- One row: how many plain rows there are, and the fact that the row before the first would be: facts come in the order of
-- the file, whichever thread writes them.
select count(*) filter (plain), max(nextval('ledger.fact_number')) - count(*) from stretch

-- name: unfit
-- Positions of plain rows that have landed, or that the stretch has told before.
create or replace temp table landed as
select s.rowid as position from stretch s join ledger.source_record known
    on known.record = concat($record_prefix, s.id) and known.content_hash = s.content_hash
    and known.changed_at is not distinct from s.changed_at
where s.plain and not exists (
    from ledger.source_record since
    where since.record = known.record and since.fact > known.fact and since.kind = 'deletion' and since.changed_at is null
)
union
select position from (
    select rowid as position, row_number() over (partition by id, content_hash, changed_at order by rowid) as told from stretch where plain
) where told > 1

-- name: append
-- The plain rows that are new.
insert into ledger.source_record
    (fact, record, source, object, source_id, content_hash, raw, kind, body, changed_at, fetched_at, run_id, correlation_id)
select $before_first + rowid + 1, concat($record_prefix, id), $source, $object, concat($id_prefix, id), content_hash,
    raw, 'person', body, changed_at, $fetched_at, $run_id, $correlation_id
from stretch where plain and rowid not in (select position from landed)

-- name: done
-- No rows.
drop table if exists stretch; drop table if exists landed
