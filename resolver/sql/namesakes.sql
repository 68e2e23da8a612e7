-- name: ties
-- Pairs of one cluster that have something of their own in common: an identifier but for a slip of the finger, a birth date,
-- or a rule's or a steward's word.
with held as (
    select c.cluster, i.record, i.kind, i.value, i.household, split_part(i.value, '@', 1) as local,
           r.given_name, r.given_forms, r.given_sex, r.family_key, r.name_suffix,
           regexp_replace(i.value, '[0-9._-]', '', 'g') as letters, regexp_replace(local, '[^0-9]', '', 'g') as digits,
           nullif(regexp_extract(local, '^[^0-9]+(?:19|20)?([0-9]{2})$', 1), '') as year,
           length(r.given_name) > 1 and contains(local, r.given_name) as bears_given,
           -- misspelt, a name may stand in nobody's address: what any of its holders is called counts
           bool_or(contains(letters, r.given_name) or contains(letters, r.family_key)) over holders as bears_a_name,
           bool_or(regexp_replace(local, '[._-]', '', 'g') in (
               concat(r.given_name, r.family_key), concat(r.family_key, r.given_name),
               concat(left(r.given_name, 1), r.family_key)
           )) over holders as is_name
    from derived.identifier i join cluster_of_rich c using (record) join derived.record r using (record)
    window holders as (partition by i.kind, i.value)
), shared as (
    -- What may be anybody's of a household is nobody's own, but a mailbox in the given name of one of the two. One telephone is
    -- used by people whose names differ, and by a father of whom only the suffix tells; one card by a clerk and his customers.
    select a.record as "left", b.record as "right"
    from held a join held b using (cluster, kind, value)
    where a.record < b.record and case kind
        when 'email' then not (a.household or b.household)
            or a.bears_given and (a.given_sex is not null or a.given_name is distinct from b.family_key)
            or b.bears_given and (b.given_sex is not null or b.given_name is distinct from a.family_key)
        when 'phone' then not (a.household or b.household) and derived.given_alike(a, b)
            and a.name_suffix is not distinct from b.name_suffix
        when 'loyalty_number' then derived.family_alike(a, b)
        else true end
), mistyped as (
    -- Fathers and sons choose addresses made of the name alone, each with a provider or a number of his own: such addresses are
    -- two, unless a letter is wrong or the numbers look mistyped.
    select a.record, b.record
    from held a join held b using (cluster)
    where a.kind = 'email' and b.kind = 'email' and a.record < b.record and not (a.household or b.household) and (
        a.local = b.local and not (a.is_name or b.is_name) and derived.family_agree(a, b)
        or damerau_levenshtein(a.value, b.value) = 1 and (
            a.letters <> b.letters or derived.digits_slip(a.digits, b.digits) or not (a.bears_a_name or b.bears_a_name)))
), misdialled as (
    select a.record, b.record
    from held a join held b using (cluster)
    where a.kind = 'phone' and b.kind = 'phone' and a.record < b.record and not (a.household or b.household)
      and length(a.value) = length(b.value) and hamming(a.value, b.value) = 1 and a.name_suffix is not distinct from b.name_suffix
), numbered as (
    -- Many put the year of their birth into their address: it stands in another address of theirs, or in their birth date.
    select a.record, b.record
    from held a join held b using (cluster, year)
    where a.kind = 'email' and b.kind = 'email' and a.value < b.value and not (a.household or b.household)
      and derived.given_alike(a, b)
    union
    select a.record, b.record
    from held a join cluster_of_rich c using (cluster) join derived.record b on b.record = c.record
    where a.kind = 'email' and not a.household and a.year = b.birth_digits[3:4] and a.record <> b.record
      and derived.given_alike(a, b)
), born as (
    select c.cluster, r.record, r.birth_digits from derived.record r join cluster_of_rich c using (record)
    where r.birth_digits is not null
)
from shared
union
from mistyped
union
from misdialled
union
from numbered
union
select a.record, b.record from born a join born b using (cluster, birth_digits) where a.record < b.record
union
select j.left_record, j.right_record
from derived.judgement j
join cluster_of_rich a on a.record = j.left_record join cluster_of_rich b on b.record = j.right_record and b.cluster = a.cluster
where j.verdict = 'match' and j.judge not like 'model:%'
order by all

-- name: one_name
-- Pairs of parts of one cluster that bear one name: equal but for a slip of the finger or for their places, and Jr or not. An
-- initial may be a sister's.
with suffixed as (
    select p.component, list_sort(list(distinct r.name_suffix)) as suffixes
    from derived.record r join cluster_part p using (record) group by p.component
), part as (
    select distinct c.cluster, p.component, s.suffixes, r.given_name, r.given_sex, r.given_forms, r.family_key
    from derived.record r join cluster_of_rich c using (record) join cluster_part p using (record)
    join suffixed s using (component)
)
select a.component as "left", b.component as "right"
from part a join part b
    on b.cluster = a.cluster and a.component < b.component and a.suffixes is not distinct from b.suffixes
group by all
having bool_or(a.given_name is null or b.given_name is null or a.given_name = b.given_name
               or derived.given_slip(a, b))
   and bool_or(derived.family_agree(a, b))
    or bool_or(a.given_name = b.family_key and a.family_key = b.given_name)
order by all

-- name: parted
-- Every record with its cluster as far as it is of one name, or with its part of that. Two parts that have nothing of their own
-- in common are namesakes (a father and a son, perhaps) as far as anybody can tell where
-- - each has an e-mail or a phone that nobody else has; a family's mailbox counts where the other has another family's;
-- - a shop keeps an account for either under one family's mailbox;
-- - their birth dates contradict each other, or a year in an address of one is a generation away from the other's;
-- - somebody else of their name lives under their roof, such as one who is told to be the Sr.
-- What such a cluster has besides could be either's and stays alone, too.
with named as (
    select record, n.component, p.component as part from cluster_one_name n join cluster_part p using (record)
), own as (
    select i.kind, i.value, bool_and(i.household) as household, any_value(part) as part, any_value(component) as component
    from derived.identifier i join named using (record)
    where i.kind in ('email', 'phone') group by i.kind, i.value having count(distinct part) = 1
), account as (
    select component, part, c.source, i.value
    from named join derived.customer c using (record) join derived.identifier i using (record)
    where i.kind = 'email' and i.household
), born as (
    select distinct component, part, r.birth_digits from named join derived.record r using (record) where r.birth_digits is not null
), year as (
    select component, part, left(birth_digits, 4)::int as year from born
    union
    select component, part, nullif(regexp_extract(value, '^[^0-9]+((?:19|20)[0-9]{2})@', 1), '')::int from own
    where kind = 'email' and not household
), roof as (
    select record, concat_ws(' ', address, postcode) as roof from derived.record where address is not null
    union
    select record, value from derived.identifier where household
), under_roof as (
    select distinct component, r.given_name, r.family_key, roof
    from named join derived.record r using (record) join roof using (record)
), apart as (
    select component from own group by component, kind, household
    having count(distinct part) > 1 and (not household or kind = 'email' and count(distinct value) > 1)
    union
    select component from account group by component, source, value having count(distinct part) > 1
    union
    select a.component from born a join born b using (component) where a.part < b.part and not derived.birth_agree(a, b)
    union
    select a.component from year a join year b using (component) where a.part < b.part and abs(a.year - b.year) >= 15
    union
    select a.component from under_roof a join under_roof b using (given_name, family_key, roof) where a.component <> b.component
)
select record, case when component in (from apart) then part else component end as cluster from named order by record
