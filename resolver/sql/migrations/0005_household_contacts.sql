-- identify: whether a phone is a landline, and whether an identifier may be anybody's of a household.
alter table derived.spelling add column landline boolean;
alter table derived.identifier add column household boolean;
