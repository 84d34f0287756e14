-- Answers that were once wrong, and what keeps them right.
create table ah(a int, b text);
insert into ah values (1,'x'),(2,'y'),(null,'z'),(2,'w');
-- A table without a primary key has no order to stop early in.
select a from ah order by a desc limit 1;
select a from ah order by a desc nulls last limit 1;
select a from ah order by a nulls first limit 2;
(select a from ah order by a limit 1) union all (select a from ah order by a desc nulls last limit 1) order by 1;
-- Whole rows and composite values.
select ah from ah where a = 1;
select row(h.*), row_to_json(h) from ah h where a = 1;
select h::text, (h).b from ah h where a = 1;
select array_agg(h order by a, b) from ah h;
select h from ah h group by h order by h;
select count(distinct h), max(h) from ah h;
select count(t2.*) from ah t1 left join (select * from ah) t2 on t2.a = t1.a + 5;
select json_agg(q) from (select a, b from ah where a < 3 order by a, b) q;
create type pair as (x int, y text);
create table pairs(id int primary key, c pair, cs pair[]);
insert into pairs values (1, row(1,'a'), array[row(1,'b')::pair, row(2,null)::pair]), (2, '(5,"q r")', '{"(7,x)"}'), (3, null, null);
select id, (c).x, (c).y, c, cs, (cs[1]).y from pairs order by c;
select (c).* from pairs order by id;
update pairs set c.x = 9, cs[3] = row(4, 'z') where id < 3 returning *;
update pairs set c = row(8,'z') where id = 2 returning c;
select distinct c from pairs order by c desc;
create view ahv as select a, b from ah;
select ahv, row_to_json(ahv) from ahv where a = 1;
-- Parts of arrays.
create table parts(id int primary key, a int[], b int[][], t text[]);
insert into parts (id, a[1], a[3], b[1:2][1:2]) values (1, 10, 30, '{{1,2},{3,4}}');
insert into parts values (2, '{1,2,3}', '{{5,6},{7,8}}', '{x}');
update parts set a[5] = 50, a[0] = 0, b[2][1] = 99 where true returning id, a, b;
update parts set a[2:3] = '{22,33}', t[2] = 'two' returning id, a, t;
update parts set b[1:1] = '{{100,200}}' returning id, b;
update parts set b[3][1] = 1;
update parts set a[1:3] = '{1}';
update parts set a['x'] = 1;
-- Windows over RANGE offsets.
select a, sum(a) over (order by a range between 1 preceding and 1 following) from (values (1),(2),(5),(6),(null)) v(a) order by a;
select a, count(*) over (order by a desc range between 1.5 preceding and 1 following) from (values (1.0::float8),(2),(5),(6),(null)) v(a) order by a;
select a, count(*) over (order by a range between '1 day' preceding and '1 month' following) from (values (date '2020-01-31'),('2020-02-29'),('2020-03-01'),(null)) v(a) order by a;
select a, count(*) over (order by a range between -1 preceding and 1 following) from (values (1),(2)) v(a);
select a, count(*) over (order by a rows between 1 preceding and -1 following) from (values (1),(2)) v(a);
-- DISTINCT in an aggregate sorts.
select array_agg(distinct a), string_agg(distinct a::text, ',') from (values (1),(2),(1),(3),(null),(2)) v(a);
select variance(x), stddev(x) from (values (0::int2), (1::int2), ((-7)::int2), (32767::int2), ((-32768)::int2)) v(x);
select (19.99::numeric(10,2))::numeric, greatest(1.5::numeric(4,2), 2.5::numeric(4,2));
create table empty();
insert into empty default values;
select count(*) from empty;
-- char(n) of several lengths keeps each its own spaces.
select x, x::text || '|', length(x), octet_length(x), x like 'ab', x like 'ab  ' from (values ('ab'::char(4)), (''::char(2)), ('ab'::char(4))) v(x) order by x, octet_length(x);
select x, count(*) from (values ('ab'::char(4)), (''::char(2)), ('ab'::char(4))) v(x) group by x order by x;
select a.x from (values ('ab'::char(4)), (''::char(2)), ('ab'::char(3))) v(x), (values ('ab'::char(4)), (''::char(2)), ('ab'::char(4))) a(x) where a.x = v.x order by 1;
select coalesce(null::char(3), 'ab'::char(3)), 'abc'::char(6) ~ '^[a-z]+$', 'abc'::char(3) ~ '^[a-z]+$';
-- Nulls of a decimal type; constants in ORDER BY of aggregates.
create table nulls(id int, n numeric(8,2), m numeric);
insert into nulls values (1, 10.10 / nullif(0,0), 1), (2, null::int4::numeric, 2) returning *;
insert into nulls values (3, null::int4::numeric, null) on conflict do nothing returning *;
select string_agg('%', ',' order by '%'), percentile_cont(0.25) within group (order by null::float8) from nulls;
-- Bit strings.
select b'101', x'1F', '101'::bit(3), B'0101' & B'0011', b'01' || b'1', ~b'0101', b'0101' # b'1111', b'0101' << 1, b'0101' >> 1;
select 44::bit(10), 44::bit(3), (-44)::bit(12), b'1010'::int4, 5::bit, 255::int8::bit(70);
select '10101'::bit(4);
select '10101'::varbit(4);
select '102'::bit(3);
select b'101' & b'10';
select length(b'10101'), octet_length(b'101011111'), bit_length(b'101'), substring(b'10101' from 2 for 3), position(b'01' in b'11101');
create table bits(id int, b bit(3), v bit varying(5));
insert into bits values (1, b'101', b'1'), (2, '010', '11111'), (3, null, '');
insert into bits values (4, b'1011', b'1');
insert into bits values (4, b'101', b'111111');
select * from bits order by b, v;
-- json into rows.
select * from json_to_record('{"a":1,"b":"x","c":[1,2],"d":{"e":1},"f":1.255}') as x(a int, b text, c int[], d jsonb, f numeric(5,2), g date);
select * from json_to_recordset('[{"a":1,"b":"2020-01-01"},{"a":"3"},{"b":null}]') as x(a int, b date);
select * from jsonb_to_recordset('[{"a":1.5,"b":true},{"a":"3"}]') as x(a numeric, b bool) where a > 2;
select * from json_to_record('[1]') as x(a int);
create type jr as (a int, b text, c int[]);
select * from json_populate_record(null::jr, '{"a":1,"b":"z","c":[1,2,null]}');
select json_populate_record(row(5,'old',null)::jr, '{"b":"z"}');
select * from jsonb_populate_record(null::jr, '{"a":"7","c":[[1,2],[3,4]]}');
select x.a, x.b from json_populate_recordset(row(9,'d',null)::jr, '[{"a":1},{"b":"q"}]') x;
-- message differs: no hint that names the key
select * from json_populate_record(null::jr, '{"c":5}');
select timestamp '2020-01-01' as x0, count(*) from (values (1)) v(a) group by rollup(timestamp '2020-01-01');
create table nullcat(id int, y bytea, t text);
insert into nullcat values (1, '\x00'::bytea || null::bytea, 'a' || null::text) returning *;
select get_byte('\x00ff'::bytea, 1), set_byte('\x00ff'::bytea, 0, 65), get_bit('\x00ff'::bytea, 9), substr('\x0102030405'::bytea, 3);
select log(100::numeric), log(2.5), width_bucket(5.3::float8, 0.024, 10.06, 5), regexp_instr('foobarbaz', '(b)(.)', 1, 2, 1), current_schema();
-- Casts to bpchar keep spaces; arrays of char(n) keep each element's.
create table spaces(c6 char(6), v varchar(5), t text);
insert into spaces values ('  A','zz  ', 'q '),(' c', null, ' ');
select array_append('{a,b}'::text[], c6), array[c6, 'x'], array_prepend(case when true then c6 else 'x y' end, array[c6, c6]) from spaces;
select t::bpchar, t::bpchar = 'q', length(t::bpchar), t::char(4), t::bpchar || '|' from spaces;
select c6 from spaces union select v from spaces order by 1;
select parse_ident('Foo."Bar baz".x'), parse_ident('a.b c', false);
select parse_ident('a.');
select parse_ident('"a');
select unistr('\0064at\+0000610'), unistr('\d83d\ude00'), unistr('a\\b');
select unistr('\00zz');
select jsonb_set_lax('{"a":1,"b":2}', '{b}', null), jsonb_set_lax('{"a":1,"b":2}', '{b}', null, true, 'delete_key'), jsonb_set_lax('{"a":1}', '{b}', '5');
select jsonb_set_lax('{"a":1,"b":2}', '{b}', null, true, 'raise_exception');
-- Records whose fields have names: rows of functions in a select list, of ROW(...) and of subqueries.
select (information_schema._pg_expandarray(array['a','b'])).*;
select information_schema._pg_expandarray('{1,2,3}'::int[]);
select (x).n, (x).x from (select information_schema._pg_expandarray('[5:6]={1,2}'::int[]) as x) s where (x).x > 1;
select * from information_schema._pg_expandarray('0 1 2'::int2vector);
select (r).f1, (r).f2 from (select row(1,'a'::text) r) s;
select (s).* from (select s from (select 1 a, 2.5::numeric(3,1) b, 'x'::char(3) c) s) t;
select (json_each('{"a":1,"b":2}')).*, 7;
select ss.a, (ss.r).key from (select 1 a, json_each('{"a":1,"b":2}') r) ss;
select (ss.r).nokey from (select 1 a, json_each('{"a":1,"b":2}') r) ss;
-- A default that ADD COLUMN gives to rows that are there, of type numeric.
create table added(pk int primary key);
insert into added values (1);
alter table added add column n numeric default 1.50, add column m numeric(6,3) default 2;
insert into added values (2);
select *, n + m from added order by pk;
-- PostgreSQL's own objects have descriptions; system views have types.
select obj_description('pg_catalog.abs(integer)'::regprocedure, 'pg_proc'), obj_description(11, 'pg_namespace');
select typname, typtype, typcategory from pg_type where typname in ('cardinal_number', '_pg_stat_activity', '_columns') order by 1;
select datname, datistemplate, datallowconn from pg_database order by 1;
select format_type(30, -1), format_type(22, -1), 30::regtype, 1013::regtype;
