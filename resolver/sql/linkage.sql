-- name: people
-- what the linkage needs of the persons among the standardised people, in a database of its own
create table linkage_people as
select record, given_name, given_forms, given_sound, given_sex, middle_name, family_name, family_key, family_sound, name_suffix, sex,
  birth_digits, birth_year, mailbox, family_mailbox, phone_key, address, house_number, street, postcode, district, city, country,
  national_id, loyalty_number, other_1, other_2, other_3, other_4, name_tokens, is_person
from linkage_arriving where is_person;

-- name: numbers
-- the record ids, numbered in their order, and the row in which each stands
create or replace table linkage_number as
select rowid as row, record, (row_number() over (order by record) - 1)::integer as unique_id from linkage_people
where is_person;

-- name: records
-- the people to link by number, with the parts that comparisons look at and how common their names are
create or replace table linkage_record as
with
  given as (select given_name, count(*) as given_count from linkage_people where is_person group by given_name),
  family as (select family_key, count(*) as family_count from linkage_people where is_person group by family_key)
select unique_id,
  given_name, given_forms, given_sound, given_sex, middle_name, family_name, family_key, family_sound, name_suffix, sex,
  birth_digits, birth_year::integer as birth_year,
  try_cast(left(right(birth_digits, 4), 2) as integer) as birth_month, try_cast(right(birth_digits, 2) as integer) as birth_day,
  mailbox, split_part(mailbox, '@', 1) as local,
  family_mailbox, phone_key, address, house_number, street, postcode, district, city, country,
  national_id, loyalty_number, other_1, other_2, other_3, other_4,
  array_to_string(name_tokens, ' ') as name_set,
  coalesce(given_count, 0) as given_count, coalesce(family_count, 0) as family_count
from linkage_people as person
join linkage_number as number on number.row = person.rowid
left join given using (given_name)
left join family using (family_key);

-- name: people_away
-- the standardised people are not needed any more
drop table linkage_people;

-- name: parts_macro
-- the hash of a value, 0 when there is none
create or replace macro linkage_part(value) as case when value is null then 0::ubigint else hash(value) end;

-- name: parts
-- one row per record: its number and the hashed parts from which blocking keys are made
select unique_id, linkage_part(given_name) as given, linkage_part(family_key) as family, linkage_part(given_sound) as given_sound,
  linkage_part(family_sound) as family_sound, linkage_part(left(given_name, 1)) as initial,
  linkage_part(left(given_name, 3)) as given_start, linkage_part(left(family_key, 4)) as family_start,
  linkage_part(name_set) as name_set, linkage_part(birth_digits) as birth, linkage_part(birth_year) as birth_year,
  linkage_part(right(birth_digits, 4)) as month_day, linkage_part(mailbox) as email, linkage_part(local) as local,
  linkage_part(left(local, 6)) as local_start,
  linkage_part(phone_key) as phone, linkage_part(right(phone_key, 6)) as phone_end, linkage_part(address) as address,
  linkage_part(house_number) as house_number,
  linkage_part(street) as street, linkage_part(postcode) as postcode, linkage_part(district) as district,
  linkage_part(city) as city, linkage_part(country) as country, linkage_part(middle_name) as middle, linkage_part(national_id) as national_id, linkage_part(loyalty_number) as loyalty,
  linkage_part(other_1) as other_1, linkage_part(other_2) as other_2, linkage_part(other_3) as other_3, linkage_part(other_4) as other_4,
  -- and numbers that rule out that two values resemble each other: a bit for every form of the name, the year, several words
  case when given_forms is null then 0::ubigint
       else list_reduce(list_transform(given_forms, lambda form: (1::ubigint << (hash(form) % 63)::bigint)::ubigint), lambda a, b: a | b)::ubigint end as given_forms,
  linkage_part(sex) as sex, linkage_part(name_suffix) as suffix, coalesce(birth_year, 0)::ubigint as year,
  coalesce(contains(family_name, ' '), false)::ubigint as family_words, coalesce(contains(middle_name, ' '), false)::ubigint as middle_words
from linkage_record;

-- name: texts
-- the texts of every record whose letters tell that two cannot resemble each other
select given_name as given, family_key as family, middle_name as middle, mailbox as email, local, street, postcode, city,
  national_id, other_1, other_2, other_3, other_4
from linkage_record order by unique_id;

-- name: digits
-- the numbers of every record
select birth_digits as birth, phone_key as phone from linkage_record order by unique_id;

-- name: record_names
-- the record ids in the order of their numbers
select record from linkage_number order by unique_id;

-- name: filled
-- one row: how many records there are on which each comparison can say something
select count(given_name) as given, count(family_key) as family, count(middle_name) as middle, count(name_suffix) as suffix,
  count(sex) as sex, count(birth_digits) as birth, count(birth_year) - count(birth_digits) as birth_year,
  count(mailbox) as email, count(phone_key) as phone, count(street) as address, count(postcode) as postcode,
  count(city) as city, count(national_id) as national_id, count(loyalty_number) as loyalty,
  count(other_1) as other_1, count(other_2) as other_2, count(other_3) as other_3, count(other_4) as other_4
from linkage_record;

-- name: value_hashes
-- for every wanted field of a record, the hash of its value: md5, which no version of the database changes
select place, md5_number_lower(case field
    when 'given' then concat_ws('/', country, given_name) when 'family' then concat_ws('/', country, family_key)
    when 'middle' then middle_name
    when 'birth' then birth_digits when 'birth_year' then birth_year::varchar when 'email' then mailbox
    when 'local' then local when 'phone' then phone_key when 'address' then address when 'street' then street
    when 'postcode' then postcode when 'district' then district when 'city' then city
    when 'national_id' then national_id when 'loyalty' then loyalty_number when 'other_1' then other_1
    when 'other_2' then other_2 when 'other_3' then other_3 when 'other_4' then other_4 end) as hash
from linkage_wanted join linkage_record using (unique_id);

-- name: row_hashes
-- one hash per told row over all its columns, in the order of the rows
select hash(told) as hash from linkage_told as told;
