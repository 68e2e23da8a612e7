-- standardise: whose name the given name usually is: m, f, x for both; NULL where nobody knows it.
alter table derived.record add column given_sex varchar;

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

-- Whether the numbers in two addresses may be one, mistyped: two digits in each other's place, or one too few.
create macro derived.digits_slip(l, r) as
    l <> '' and list_sort(string_split(l, '')) = list_sort(string_split(r, ''))
    or length(l) <> length(r) and least(length(l), length(r)) >= 2;

-- Whether a family name may be the other, misspelt or in the given name's place: what one card's holders have in common.
create macro derived.family_alike(l, r) as
    derived.family_agree(l, r) or jaro_winkler_similarity(l.family_key, r.family_key) >= 0.8
    or l.given_name = r.family_key or l.family_key = r.given_name;
