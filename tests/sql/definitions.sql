-- How PostgreSQL prints what is stored: the casts that analysis adds, pretty and not.
create domain dm as text check (value ~ E'[^@]+@[^@]+\\.[^@]+');
create domain dv as varchar(9) check (value <> 'a\b' and length(value) > 2);
select conname, pg_get_constraintdef(oid, true), pg_get_constraintdef(oid) from pg_constraint where contypid in ('dm'::regtype, 'dv'::regtype) order by 1;
create table pt (a varchar(10), b varchar(10), t text, id int, check (a = 'it''s'), check (a = '(' and b = ')'), check (id > 3 and (a > 'x' or b is null)), check (lower(a) = b || 'x'), check (id + 1 * 3 > -id), check (id in (1,2,3)), check (id between 1 and 10 or not a like 'x%'), check (coalesce(id, 1) = case when id > 1 then 2 else 3 end), check (length(t) > 3 and upper(t) = 'X'), check (t || a <> 'x' || id), check (a ~ '^[a-z]\d$'));
select conname, pg_get_constraintdef(oid, true), pg_get_constraintdef(oid) from pg_constraint where conrelid='pt'::regclass order by 1;
create index pti on pt ((id::text || a), (lower(b) || id)) where a::text = 'x' and id <> 7;
select pg_get_indexdef('pti'::regclass, 1, true), pg_get_indexdef('pti'::regclass, 2, true), pg_get_indexdef('pti'::regclass,0,true), pg_get_indexdef('pti'::regclass);
select pg_get_expr(indpred, indrelid, true), pg_get_expr(indpred, indrelid) from pg_index where indexrelid='pti'::regclass;
create view ptv as select id + 1 as x, a::text || 'q' as y, (id * 2 + 3) * 4 as z, id::bigint::text as w, max(a) over () as m, count(b) over () as n from pt where a = 'x' and (id = 1 or id = 2) and not (id is null) order by id desc limit 3;
select pg_get_viewdef('ptv'::regclass, true), pg_get_viewdef('ptv'::regclass);
create table ptd (a int default 1 + 2 * 3, b text default 'x' || 5::text, c timestamptz default now() - interval '1 day', g int generated always as (a * (a + 1)) stored, h text default 'a\b' || 'c', j jsonb default '{}'::jsonb || '{"a": 1}', k int[] default '{1}'::int[] || 2);
select pg_get_expr(adbin, adrelid, true), pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid='ptd'::regclass order by adnum;
insert into ptd default values;
select b, h, j, k from ptd;
drop view ptv;
drop table pt, ptd;
drop domain dm, dv;
