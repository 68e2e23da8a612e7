-- name: told
-- one told record per row with every column there is, lower case, trimmed, empty text as NULL
create or replace temp table standardise_told as
with
  complete as (
    select null::varchar as record, null::varchar as source, null::varchar as given_name, null::varchar as middle_name,
      null::varchar as family_name, null::varchar as full_name, null::varchar as name_suffix,
      null::varchar as sex, null::varchar as birth_date, null::varchar as birth_year, null::varchar as email,
      null::varchar as phone, null::varchar as address_line, null::varchar as house_number, null::varchar as street,
      null::varchar as postcode, null::varchar as city, null::varchar as region, null::varchar as country,
      null::varchar as organisation, null::varchar as national_id, null::varchar as loyalty_number,
      null::varchar as other_1, null::varchar as other_2, null::varchar as other_3, null::varchar as other_4
    where false
    union all by name
    from query_table($told)
  )
select record, source,
  nullif(trim(lower(given_name::varchar)), '') as given_name, nullif(trim(lower(middle_name::varchar)), '') as middle_name,
  nullif(trim(lower(family_name::varchar)), '') as family_name, nullif(trim(lower(full_name::varchar)), '') as full_name,
  nullif(trim(lower(name_suffix::varchar)), '') as name_suffix, nullif(trim(lower(sex::varchar)), '') as sex,
  nullif(trim(lower(birth_date::varchar)), '') as birth_date, nullif(trim(lower(birth_year::varchar)), '') as birth_year,
  nullif(trim(lower(email::varchar)), '') as email, nullif(trim(lower(phone::varchar)), '') as phone,
  nullif(trim(lower(address_line::varchar)), '') as address_line, nullif(trim(lower(house_number::varchar)), '') as house_number,
  nullif(trim(lower(street::varchar)), '') as street, nullif(trim(lower(postcode::varchar)), '') as postcode,
  nullif(trim(lower(city::varchar)), '') as city, nullif(trim(lower(region::varchar)), '') as region,
  nullif(trim(lower(country::varchar)), '') as country, nullif(trim(lower(organisation::varchar)), '') as organisation,
  nullif(trim(lower(national_id::varchar)), '') as national_id, nullif(trim(lower(loyalty_number::varchar)), '') as loyalty_number,
  nullif(trim(lower(other_1::varchar)), '') as other_1, nullif(trim(lower(other_2::varchar)), '') as other_2,
  nullif(trim(lower(other_3::varchar)), '') as other_3, nullif(trim(lower(other_4::varchar)), '') as other_4
from complete;

-- name: other_script_macro
-- whether a told record holds a character outside ASCII
create or replace temp macro standardise_other_script(t) as
  strlen(concat(t.given_name, t.middle_name, t.family_name, t.full_name, t.name_suffix, t.email, t.address_line, t.house_number,
                t.street, t.postcode, t.city, t.region, t.organisation, t.other_1, t.other_2, t.other_3, t.other_4))
  <> length(concat(t.given_name, t.middle_name, t.family_name, t.full_name, t.name_suffix, t.email, t.address_line, t.house_number,
                   t.street, t.postcode, t.city, t.region, t.organisation, t.other_1, t.other_2, t.other_3, t.other_4));

-- name: other_scripts
-- the distinct texts that hold a character outside ASCII
select distinct text
from (
  select unnest([given_name, middle_name, family_name, full_name, name_suffix, email, address_line, house_number, street,
                 postcode, city, region, organisation, other_1, other_2, other_3, other_4]) as text
  from standardise_told
  where standardise_other_script(standardise_told)
)
where strlen(text) <> length(text)
order by text;

-- name: fold
-- those texts in their ASCII form, in the rows that hold one
update standardise_told as told set
  given_name = folded.given_name, middle_name = folded.middle_name, family_name = folded.family_name,
  full_name = folded.full_name, name_suffix = folded.name_suffix, email = folded.email, address_line = folded.address_line,
  house_number = folded.house_number, street = folded.street, postcode = folded.postcode, city = folded.city,
  region = folded.region, organisation = folded.organisation, other_1 = folded.other_1, other_2 = folded.other_2,
  other_3 = folded.other_3, other_4 = folded.other_4
from (
  select told.rowid as row,
    coalesce(f1.ascii, told.given_name) as given_name, coalesce(f2.ascii, told.middle_name) as middle_name,
    coalesce(f3.ascii, told.family_name) as family_name, coalesce(f4.ascii, told.full_name) as full_name,
    coalesce(f5.ascii, told.name_suffix) as name_suffix, coalesce(f6.ascii, told.email) as email,
    coalesce(f7.ascii, told.address_line) as address_line, coalesce(f8.ascii, told.house_number) as house_number,
    coalesce(f9.ascii, told.street) as street, coalesce(f10.ascii, told.postcode) as postcode,
    coalesce(f11.ascii, told.city) as city, coalesce(f12.ascii, told.region) as region,
    coalesce(f13.ascii, told.organisation) as organisation, coalesce(f14.ascii, told.other_1) as other_1,
    coalesce(f15.ascii, told.other_2) as other_2, coalesce(f16.ascii, told.other_3) as other_3,
    coalesce(f17.ascii, told.other_4) as other_4
  from standardise_told as told
  left join standardise_folded as f1 on f1.text = told.given_name
  left join standardise_folded as f2 on f2.text = told.middle_name
  left join standardise_folded as f3 on f3.text = told.family_name
  left join standardise_folded as f4 on f4.text = told.full_name
  left join standardise_folded as f5 on f5.text = told.name_suffix
  left join standardise_folded as f6 on f6.text = told.email
  left join standardise_folded as f7 on f7.text = told.address_line
  left join standardise_folded as f8 on f8.text = told.house_number
  left join standardise_folded as f9 on f9.text = told.street
  left join standardise_folded as f10 on f10.text = told.postcode
  left join standardise_folded as f11 on f11.text = told.city
  left join standardise_folded as f12 on f12.text = told.region
  left join standardise_folded as f13 on f13.text = told.organisation
  left join standardise_folded as f14 on f14.text = told.other_1
  left join standardise_folded as f15 on f15.text = told.other_2
  left join standardise_folded as f16 on f16.text = told.other_3
  left join standardise_folded as f17 on f17.text = told.other_4
  where standardise_other_script(told)
) as folded
where told.rowid = folded.row;

-- name: words_macro
-- a text as words: apostrophes and dots gone, everything else that is no letter or digit a single space
create or replace temp macro standardise_words(t) as
  case when t is null or regexp_full_match(t, '[a-z0-9]+( [a-z0-9]+)*') then t
       else nullif(trim(regexp_replace(translate(t, '''`´’.', ''), '[^a-z0-9]+', ' ', 'g')), '') end;

-- name: name_key_macro
-- one number for a way a name was told: joining on it is cheaper than on five texts
create or replace temp macro standardise_name_key(given_name, middle_name, family_name, full_name, name_suffix) as
  hash(given_name, middle_name, family_name, full_name, name_suffix);

-- name: names
-- every different way a name was told, taken apart into words
create or replace temp table standardise_name as
with
  told as (
    select standardise_name_key(given_name, middle_name, family_name, full_name, name_suffix) as name_key,
      first(given_name) as given_name, first(middle_name) as middle_name, first(family_name) as family_name,
      first(full_name) as full_name, first(name_suffix) as name_suffix
    from standardise_told
    where coalesce(given_name, middle_name, family_name, full_name) is not null
    group by name_key
  ),
  tidy as (
    select *,
      standardise_words(given_name) as g, standardise_words(middle_name) as m, standardise_words(family_name) as f,
      -- "Last, First" is turned round, "First Last, 2nd" is not
      standardise_words(case when contains(full_name, ',') and not regexp_matches(full_name, ', *([0-9]|jr|sr|jnr|snr|i+\b|iv\b|esq)')
        then regexp_replace(full_name, '^([^,]+),(.*)$', '\2 \1') else full_name end) as w
    from told
  ),
  split as (
    select * exclude (g, m, f, w),
      string_split(g, ' ') as g, string_split(m, ' ') as m, string_split(f, ' ') as f, string_split(w, ' ') as w
    from tidy
  ),
  untitled as (
    -- a title before and an honour after a name are no part of it
    select * replace (
        case when len(g) > 1 and list_contains($titles, g[1]) then g[2:]
             when len(g) = 1 and list_contains($salutations, g[1]) and len(w) > 2 then [] else g end as g,
        case when len(f) > 1 and list_contains($honours, f[-1]) then f[:-2]
             when len(f) = 1 and list_contains($honours, f[1]) and len(w) > 2 then [] else f end as f,
        case when len(w) > 2 and list_contains($titles, w[1]) or len(w) > 1 and list_contains($salutations, w[1]) then w[2:]
             else w end as w)
    from split
  ),
  unhonoured as (
    select * replace (
        case when len(w) > 3 and list_contains($honours, w[-1]) and list_contains($honours, w[-2]) then w[:-3]
             when len(w) > 2 and list_contains($honours, w[-1]) then w[:-2] else w end as w)
    from untitled
  ),
  stripped as (
    -- a part that was nothing but a title is read off the full name
    select * replace (
        case when len(g) = 0 then w[1:1] else g end as g, case when len(f) = 0 then w[-1:] else f end as f)
    from unhonoured
  ),
  suffixed as (
    select *,
      coalesce(standardise_words(name_suffix),
        case when len(f) > 1 and list_contains($suffixes, f[-1]) then f[-1]
             when len(g) > 1 and f is not null and list_contains($suffixes, g[-1]) then g[-1]
             when len(w) > 2 and list_contains($suffixes, w[-1]) then w[-1] end) as suffix
    from stripped
  ),
  bare as (
    select * replace (
        case when len(f) > 1 and list_contains($suffixes, f[-1]) then f[:-2] else f end as f,
        case when len(g) > 1 and f is not null and list_contains($suffixes, g[-1]) then g[:-2] else g end as g,
        case when len(w) > 2 and list_contains($suffixes, w[-1]) then w[:-2] else w end as w)
    from suffixed
  ),
  parted as (
    -- a full name alone: first word, last word with the particles before it, the rest between them
    select *,
      case when len(w) > 2 and list_contains($particles, w[-2])
           then case when len(w) > 3 and list_contains($particles, w[-3]) then 3 else 2 end else 1 end as tail
    from bare
  )
select name_key, full_name,
  case when g is not null then g[1] when f is null and len(w) > 1 then w[1] end as given,
  case when f is not null then array_to_string(f, ' ')
       when g is null and w is not null then array_to_string(w[len(w) - tail + 1:], ' ') end as family,
  array_to_string(list_distinct(list_concat(
    coalesce(g[2:], []), coalesce(m, []),
    case when g is null and f is null then coalesce(w[2:len(w) - tail], [])
         else list_filter(coalesce(w, []), lambda x: not coalesce(list_contains(g, x), false) and not coalesce(list_contains(f, x), false)
           and not list_contains($titles, x) and not list_contains($honours, x)) end
  )), ' ') as middle,
  suffix,
  list_sort(list_distinct(list_concat(coalesce(g, []), coalesce(m, []), coalesce(f, []), coalesce(w, [])))) as tokens
from parted;

-- name: name_placeholders
-- the told names that stand for nobody, and those of companies
create or replace temp table standardise_person_name as
select * exclude (suffix, full_name) replace (nullif(middle, '') as middle),
  case when suffix in ('jr', 'jnr', 'junior', 'ii', '2nd') then 'jr' when suffix in ('sr', 'snr', 'senior') then 'sr'
       else suffix end as suffix,
  len(tokens) > 0 and len(list_filter(tokens, lambda x: not list_contains($nobody, x))) = 0 as is_nobody,
  len(tokens) > 1 and (list_contains($companies, string_split(family, ' ')[-1]) or list_contains($companies, string_split(standardise_words(full_name), ' ')[-1])) as is_company
from standardise_name;

-- name: given_names
-- the distinct given names
select distinct given as word from standardise_person_name where given is not null order by word;

-- name: family_names
-- the distinct family names
select distinct family as word from standardise_person_name where family is not null order by word;

-- name: country
-- the country that phones of records without one are taken to be of
set variable standardise_country = $country;

-- name: phone_macros
-- a phone told without any country is told by its digits alone, unless they stand for nothing
create or replace temp macro standardise_phone_country(t) as
  case when regexp_full_match(t, '[a-z]{2}') then upper(t) end;
create or replace temp macro standardise_is_bare(phone, country) as
  phone is not null and getvariable('standardise_country') is null and standardise_phone_country(country) is null
  and not regexp_matches(phone, '^ *(\+|00[1-9])');
create or replace temp macro standardise_digits(phone) as regexp_replace(phone, '[^0-9]', '', 'g');
create or replace temp macro standardise_without_first(digits) as replace(digits, left(digits, 1), '');
create or replace temp macro standardise_national(digits) as
  case when length(digits) >= 7 and standardise_without_first(standardise_without_first(right(digits, 9))) <> ''
            and not contains('01234567890123456789', right(digits, 9)) and not contains('98765432109876543210', right(digits, 9))
       then right(digits, 10) end;

-- name: phones
-- the other distinct phones as told, each with its country
select distinct phone, standardise_phone_country(country) as country
from standardise_told
where phone is not null and not standardise_is_bare(phone, country)
order by phone, country;

-- name: date_macro
-- the date, NULL when there is none such
create or replace temp macro standardise_date(y, m, d) as
  case when m between 1 and 12 and d between 1 and 28 then make_date(y, m, d)
       when m between 1 and 12 and d between 29 and 31 then try_cast(printf('%04d-%02d-%02d', y, m, d) as date) end;

-- name: email_settings
-- what stands before the @ of an address that nobody reads
set variable standardise_no_reply = $no_reply;

-- name: family_words
-- what the letters of a family's mailbox say
set variable standardise_family_words = $family_words;

-- name: email_macros
-- whether an e-mail text is plainly well formed, and its mailbox (sub-address dropped, and the dots that Gmail ignores)
create or replace temp macro standardise_is_plain(email) as
  regexp_full_match(email, '[a-z0-9_%-][a-z0-9._%+-]*@[a-z0-9.-]+\.[a-z0-9-]{2,}')
  and not regexp_full_match(split_part(email, '@', 1), getvariable('standardise_no_reply'));
create or replace temp macro standardise_mailbox(email) as
  case when regexp_matches(email, '@(gmail|googlemail)\.com$')
       then concat(replace(regexp_extract(email, '^[^@+]*'), '.', ''), '@gmail.com')
       when contains(email, '+') then regexp_replace(email, '\+[^@]*', '')
       else email end;

-- name: odd_emails
-- the distinct e-mail texts that are not plainly well formed
select distinct email from standardise_told where email is not null and not standardise_is_plain(email) order by email;

-- name: street_words
-- the short spelling of the words that streets are made of
set variable standardise_street_words = map($spelt::varchar[], $short::varchar[]);

-- name: people
-- one standardised person record per row
with
  joined as (
    select t.* replace (regexp_replace(t.postcode, '[^a-z0-9]', '', 'g') as postcode), n.given, n.middle, n.family, n.suffix, n.tokens, n.is_nobody, n.is_company,
      g.forms, g.usual_sex, g.sound as given_sound, f.sound as family_sound, f.is_given,
      case when e.told is null then t.email else e.address end as mail,
      case when e.told is null then standardise_mailbox(t.email) else e.mailbox end as mailbox,
      p.e164,
      case when standardise_is_bare(t.phone, t.country) then standardise_national(standardise_digits(t.phone)) else p.national end as national,
      standardise_words(coalesce(t.street, t.address_line)) as line,
      replace(standardise_words(t.house_number), ' ', '') as told_number,
      -- digits of the birth date as year, month, day
      case when regexp_matches(t.birth_date, '^-?[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}') then string_split(left(ltrim(t.birth_date, '-'), 10), '-')
           when regexp_full_match(t.birth_date, '[0-9]{8}') then [left(t.birth_date, 4), substr(t.birth_date, 5, 2), right(t.birth_date, 2)]
           when regexp_full_match(t.birth_date, '[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}') then string_split(t.birth_date, '/')
           when regexp_full_match(t.birth_date, '[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{4}') then list_reverse(regexp_split_to_array(t.birth_date, '[./-]'))
           end as born
    from standardise_told as t
    left join standardise_person_name as n
      on n.name_key = standardise_name_key(t.given_name, t.middle_name, t.family_name, t.full_name, t.name_suffix)
    left join standardise_given as g on g.word = n.given
    left join standardise_family as f on f.word = n.family
    left join standardise_odd_email as e on e.told = t.email
    left join standardise_spelt_phone as p on p.told = t.phone
      and p.country is not distinct from standardise_phone_country(t.country)
  ),
  numbered as (
    -- the house number stands first (GB, US, FR) or last (DE, NL, PL, LV)
    select *,
      coalesce(told_number,
        nullif(regexp_extract(line, '^([a-z]?[0-9][0-9a-z]*)\b', 1), ''),
        nullif(regexp_extract(line, '\b([0-9]+ ?[a-z]?)$', 1), '')) as house
    from joined
  ),
  worded as (
    select *,
      string_split(trim(case
        when told_number is null and starts_with(line, house) then substr(line, len(house) + 1)
        when told_number is null and ends_with(line, house) then substr(line, 1, len(line) - len(house))
        else line end), ' ') as words
    from numbered
  ),
  addressed as (
    select *, replace(house, ' ', '') as number,
      nullif(array_to_string(list_transform(words, lambda x: coalesce(getvariable('standardise_street_words')[x], x)), ' '), '') as road
    from worded
  ),
  dated as (
    select *,
      try_cast(regexp_extract(born[1], '[0-9]+') as integer) as y,
      try_cast(regexp_extract(born[2], '[0-9]+') as integer) as m,
      try_cast(regexp_extract(born[3], '[0-9]+') as integer) as d
    from addressed
  ),
  born as (
    select *,
      coalesce(standardise_date(y, m, d), standardise_date(y, d, m)) as date_of_birth
    from dated
  ),
  plausible as (
    select * replace (
        case when date_of_birth in (date '1900-01-01', date '1901-01-01', date '1970-01-01', date '1111-11-11', date '0001-01-01', date '9999-12-31')
             then null else date_of_birth end as date_of_birth),
      date_of_birth in (date '1900-01-01', date '1901-01-01', date '1970-01-01', date '1111-11-11', date '0001-01-01', date '9999-12-31')
        as is_date_placeholder,
      regexp_replace(split_part(mailbox, '@', 1), '[^a-z]', '', 'g') as letters
    from born
  ),
  boxed as (
    -- the names that the mailbox may bear; told the other way round, the family name is the one that nobody is called by
    select *,
      usual_sex is null and is_given and length(given) > 2 and contains(letters, given) as is_turned,
      case when is_turned then given else replace(family, ' ', '') end as family_part,
      case when is_turned then family else given end as given_part,
      -- in some languages a woman's family name ends otherwise than the family's
      case when regexp_matches(letters, getvariable('standardise_family_words')) then left(family_part, greatest(length(family_part) - 3, 4))
           else family_part end as family_stem
    from plausible
  ),
  owned as (
    -- whether the mailbox bears this person's name: an initial or a form of it, told with a slip of the finger perhaps; an
    -- initial that is all that is told may be that of any given name
    select *,
      coalesce(starts_with(letters, left(given_part, 1) || family_part), false)
      or coalesce(list_bool_or(list_transform(list_append(forms, given_part),
           lambda form: length(form) > 1 and form <> family_part and contains(letters, form))), false)
      or coalesce(jaro_winkler_similarity(replace(letters, family_part, ''), given_part) >= 0.85, false)
      or coalesce(length(given) = 1 and starts_with(letters, given) and not regexp_matches(letters, '^(the|fam)')
                  and not starts_with(letters, family_part), false) as is_own_mailbox
    from boxed
  )
select record, source,
  case when not is_nobody then given end as given_name,
  case when not is_nobody then middle end as middle_name,
  case when not is_nobody then family end as family_name,
  suffix as name_suffix,
  case when not is_nobody then concat_ws(' ', given, middle, family) end as full_name,
  case when left(sex, 1) in ('m', 'h') and sex not in ('mrs', 'ms', 'miss', 'mme') then 'm' when left(sex, 1) in ('f', 'w') then 'f' end as sex,
  date_of_birth as birth_date,
  coalesce(year(date_of_birth), case when not coalesce(is_date_placeholder, false) then y end,
           try_cast(left(birth_year, 4) as integer)) as birth_year,
  mail as email, split_part(mail, '@', 1) as email_local, split_part(mail, '@', 2) as email_domain,
  e164 as phone, national as phone_national,
  number as house_number, road as street,
  nullif(postcode, '') as postcode,
  standardise_words(city) as city, standardise_words(region) as region, upper(country) as country,
  nullif(regexp_replace(national_id, '[^a-z0-9]', '', 'g'), '') as national_id,
  nullif(regexp_replace(loyalty_number, '[^a-z0-9]', '', 'g'), '') as loyalty_number,
  not coalesce(is_company, false)
    and not (coalesce(is_nobody, false) and coalesce(mail, national, national_id, loyalty_number) is null)
    and not (organisation is not null and coalesce(given, family, middle) is null) as is_person,
  list_filter([
    case when is_nobody then 'name:placeholder' end,
    case when is_company then 'name:company' end,
    case when email is not null and mail is null then 'email:placeholder' end,
    case when phone is not null and national is null then 'phone:placeholder' end,
    case when is_date_placeholder then 'birth_date:placeholder' end,
    case when birth_date is not null and date_of_birth is null and not coalesce(is_date_placeholder, false) then 'birth_date:unreadable' end
  ], lambda x: x is not null) as kept_out,
  -- what the linkage compares and blocks on
  case when not is_nobody then forms end as given_forms,
  case when not is_nobody then given_sound end as given_sound,
  case when not is_nobody then replace(family, ' ', '') end as family_key,
  case when not is_nobody then family_sound end as family_sound,
  case when not is_nobody then tokens end as name_tokens,
  case when not coalesce(is_date_placeholder, false)
       then coalesce(strftime(date_of_birth, '%Y%m%d'), printf('%04d%02d%02d', y, m, d)) end as birth_digits,
  mailbox, right(national, 10) as phone_key,
  number || ' ' || road as address,
  case when regexp_full_match(postcode, '[a-z]{1,2}[0-9][a-z0-9]?[0-9][a-z]{2}') then left(postcode, -3)
       else nullif(left(postcode, 3), '') end as district,
  standardise_words(other_1) as other_1, standardise_words(other_2) as other_2,
  standardise_words(other_3) as other_3, standardise_words(other_4) as other_4,
  -- a mailbox that bears the family's name but not this person's may be anybody's of the family, and so may one that says it is
  -- a family's, whatever the family is called
  coalesce((contains(letters, family_stem) or regexp_matches(letters, getvariable('standardise_family_words')))
           and not is_own_mailbox, false) as family_mailbox,
  case when not is_nobody then usual_sex end as given_sex
from owned;

-- name: start_again
-- the standardised records of an earlier run are dropped
drop table if exists derived.record;

-- name: put_away
-- the working tables are dropped
drop table if exists standardise_told;
drop table if exists standardise_told;
drop table if exists standardise_name;
drop table if exists standardise_person_name;
