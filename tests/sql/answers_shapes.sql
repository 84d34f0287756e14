-- Answers that random statements of many shapes found to be wrong or refused.
create table sa (id int primary key, a int, b int, v text[], s varchar(5), n numeric);
insert into sa values (1, 1, 2, '{a}', 'x', 1.5), (2, 1, null, null, 'y', null), (3, 2, 3, '{}', 'x', 1.50);
create table sb (id int primary key, g int, w int, t text);
insert into sb values (1, 1, 10, 'x'), (2, 1, 20, 'y'), (3, 3, 30, null), (4, null, 40, 'q');
-- A row and a subquery's one row.
select (1, 2) > (select 1, 1), (1, 2) = (select 1, 2 where false), (1, 2) <> all (select 1, 3), (1, null) = (select 1, 2), (2, null) > (select 1, 2);
select id from sa where (a, b) = (select g, w / 5 from sb where sb.id = sa.id) order by id;
select id from sa where row(a, id) >= (select g, id from sb where sb.id = 1) order by id;
select (1, 2) = (select 1);
select (1, 2) = (select 1, 2, 3);
select (1, 2) = (select g, id from sb);
select row() = row();
select a, (a, max(b)) = (select 1, 2), (a, max(b)) in (select a, b from sa) from sa group by a order by a;
-- Composite values compare as such, nulls equal; only rows that stand there compare field by field.
create type sc as (x int, y text);
select row(1, null)::sc = row(1, null)::sc, row(1, null) = row(1, null), row(1, null)::sc <> row(1, null::text);
select count(*) from sa l join sa r on l = r;
select id from sa where sa = (select sa from sa where id = 2);
select id from sa where sa in (select sa from sa) order by id;
-- Parameters in rows take their types from the other side.
prepare page as select id from sb where (g, id) > ($1, $2) order by g, id limit 2;
execute page(1, 1);
prepare page_in as select id from sb where (g, t) in (($1, $2), ($3, 'y')) order by id;
execute page_in(1, 'x', 1);
prepare page_any as select id from sb where ($1, $2) in (select id, a from sa) order by id;
execute page_any(1, '1');
prepare page_distinct as select id from sb where (g, t) is distinct from ($1, $2) order by id;
execute page_distinct(1, 'x');
prepare page_between as select id from sb where (g, id) between ($1, 1) and ($2, 2) order by id;
execute page_between(1, 1);
-- LEFT JOIN LATERAL on any condition.
select a.id, l.w from sa a left join lateral (select w from sb where sb.g = a.a) l on l.w > 10 order by 1, 2;
select a.id, l.w from sa a left join lateral (select w from sb where sb.g = a.a) l on a.b is null order by 1, 2;
select a.id, l.w from sa a left join lateral (select w from sb where sb.g = a.a) l on nullif(true, true) order by 1, 2;
select a.id, l.w from sa a left join lateral (select w from sb where sb.g = a.a) l on false order by 1, 2;
select a.id, l.c, l.w from sa a left join lateral (select count(*) as c, max(w) as w from sb where sb.g = a.a) l on a.id = l.c or l.w = 20 order by 1;
select a.id, g from sa a left join generate_series(1, a.a) g on g + a.id > 3 order by 1, 2;
select a.id, u, l.w from sa a left join (unnest(a.v) u cross join lateral (select w from sb where sb.g = a.a) l) on u || l.w = 'a10' order by 1, 2, 3;
-- Sorts inside of DuckDB by arrays and numerics of an outer query.
select min((select b.id from sa b where a.v <= b.v limit 1)) from sa a;
select min((select b.id from sa b where a.n <= b.n and a.id = b.id limit 1)), max((select b.n from sa b where a.n <= b.n order by b.id limit 1)) from sa a;
-- Subqueries as arguments of DISTINCT aggregates.
select array_agg(distinct (select b.s from sa b order by id limit 1)), string_agg(distinct (select b.s from sa b where b.id = a.id), ','), array_agg(distinct (select b.v from sa b where b.id = a.id)), count(distinct (select b.n from sa b where b.id = a.id)) from sa a;
-- An aggregate of the outer query, in a subquery in an aggregate.
-- differs: the position is the subquery's, not the aggregate's
select sum((select max(a.id) from sb)) from sa a;
select id from sa a group by (select max(a.b) from sb);
-- A condition with ANY over an array that moves into a lateral subquery.
select x.id, y.id from sa x right join sb y on y.g::int2 = any (array(select z.id from sa z where x.a <= z.a)) order by 1, 2;
select id, (select max(x.id) from sa x where x.a = sa.a)::int8 = any ('{1,2}'::int4[]), (select count(*) from sb) <> all (array[id, a]) from sa order by id;
-- Types.
select array[s, s], array['a'::varchar(3), 'b'::varchar(3)], array['a'::varchar(3), 'b'::varchar(4)], (array[s])[1], (array[s])[1:1], array[array[s], array[s]] from sa order by id;
select pg_typeof(null), pg_typeof('x'), pg_typeof('x'::text);
-- ntile whose argument changes: the first row's counts.
select id, ntile(a) over (order by id), ntile(a) over (partition by a order by id desc), ntile(coalesce(b, 3)) over (order by id desc) from sa order by id;
select ntile(a - 1) over (order by id) from sa;
select rank() from sa;
-- Several percentiles, and those of intervals.
select percentile_cont(array[0, 0.25, null, 1]) within group (order by w), percentile_disc(array[0.1, 0.9]) within group (order by t desc), percentile_cont(array[[0.1, 0.5], [0.9, null]]) within group (order by w), percentile_disc('{}'::float8[]) within group (order by w), percentile_disc(array[0.5]) within group (order by w) filter (where false) from sb;
select percentile_cont(0.3) within group (order by w * interval '1 day'), percentile_cont(array[0.25, 0.75]) within group (order by w * interval '1 hour'), percentile_disc(0.5) within group (order by w * interval '1 month') from sb;
select percentile_cont(array[0.5, 1.5]) within group (order by w) from sb;
-- INTERSECT ALL and EXCEPT ALL of values that are equal but look different.
select count(*), sum(n) = 3.5, count(n) from (select n from (values (1.0), (1.00), (2.5), (null), (null)) v(n) intersect all select n from (values (1.000), (2.5), (2.50), (null)) w(n)) x;
select n > 1 from (values (1.0), (1.00), (2.5), (2.5), (null), (null)) v(n) except all select true where false order by 1;
select count(*) from (select n from (values (1.0), (1.00), (2.5), (2.5), (null), (null)) v(n) except all select n from (values (1.000), (2.5), (null)) w(n)) x;
select '[1]'::jsonb union all select '[2]' except all select '[1.0]' order by 1;
-- A correlated regr_count of no rows.
select id, (select regr_count(x.a, x.b) from sa x where x.a = sa.b) from sa order by id;
-- char(n) in arrays has its padding with it, which does not count in comparisons.
create table sd (id int primary key, c char(6), ca char(6)[], t text[]);
insert into sd values (1, 'ab', '{ab}', '{p}'), (2, 'b', '{b,ab}', '{}'), (3, null, null, null);
select ca, ca[1], ca[1:1], ca[1] || '|', array_to_string(ca, '|'), to_json(ca), row(ca), ca::text, ca::text[], ca::varchar[] from sd order by id;
select (array[c, c])[1] = 'ab', (array[c])[1] = c, ca = '{ab}', ca = array['ab']::char(6)[], array['ab'::char(3)] = ca, ca @> array['ab']::bpchar[], c = any (ca), 'ab' = any (ca), ca < '{b}' from sd order by id;
select u, u = 'ab', length(u) from (select array_agg(c order by id) as a from sd) x, unnest(a) u order by 1;
select u, count(*) from (select unnest(array[c, 'ab'::char(6)]) as u from sd) x group by u order by 1;
select 'ab' = any (select unnest(array[c]) from sd), c in (select unnest(ca) from sd) from sd order by id;
select array_position(ca, 'ab'), array_remove(ca, 'b'), array_replace(ca, 'ab', 'zz'), ca || 'q'::char(3), ca || array['x']::bpchar[], array_append(ca, c), array_cat(t, array[c, c]) from sd order by id;
update sd set ca[3] = 'z' where id = 1 returning ca;
-- Functions.
create type mood as enum ('sad', 'ok', 'happy');
select enum_first(null::mood), enum_last('ok'::mood), enum_range(null::mood), enum_range('ok'::mood, null), enum_range(null, 'ok'::mood), enum_range('happy'::mood, 'sad');
select width_bucket(5, array[1, 3, 5, 10]), width_bucket(0, array[1, 3, 5, 10]), width_bucket('b'::text, array['a', 'c']), width_bucket(2.5, array[1.0, 2.5]), width_bucket(5, '{}'::int[]);
select width_bucket(5, array[1, null]);
select json_object('{a,b}', '{1,null}'), jsonb_object('{b,a}', '{1,null}'), json_object('{}', '{}');
select jsonb_object('{a,b}', '{1}');
select jsonb_object('{a,null}', '{1,2}');
select convert_to('ä', 'latin1'), convert_from('\xe4', 'LATIN1'), convert_to('a', 'utf8'), convert('\xc3a4', 'UTF8', 'LATIN1');
select convert_to(repeat('€', id), 'latin1') from sa;
select convert_from(decode(repeat('ff', id), 'hex'), 'utf8') from sa;
select convert_from(repeat('a', id)::bytea, 'nope') from sa;
select chr(-id) from sa;
select date_part('hour', d), date_part('minute', d), date_part('year', d) from (values (date '2020-01-01'), ('infinity')) v(d);
-- Errors point to where an expression begins.
select 1 where 1 + 1;
select 1 where cast('a' as text);
select 1 union select 'a' || 'b';
select true and (1 + 1);
values (1), ('a'::text);
select string_agg(distinct s::text, ',' order by a) from sa;
-- A lateral side, and a subquery in the condition.
select a.id, u from sa a join unnest(array[a.a, a.b]) u on u >= all (select g from sb where g is not null) or exists (select 1 from sb where sb.w = a.id * 10 and u = 1) order by 1, 2;
select a.id, l.w, x.id from sa a join lateral (select w from sb where sb.g = a.a) l on l.w > (select min(w) from sb) join sb x on x.id = a.id order by 1, 2;
-- char(n) among the arguments of DISTINCT aggregates.
select array_agg(distinct c), string_agg(distinct c, ','), count(distinct c), array_agg(distinct c order by c desc) from sd;
-- ORDER BY names an output twice.
select distinct on (a) s, id, a from sa order by a desc, 1, 2, 3 nulls first;
select a, id from sa order by 1, a desc, 2 desc, 1 limit 2;
