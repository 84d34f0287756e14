-- int4range, int8range, numrange, daterange, tsrange, tstzrange and their multiranges
set timezone to 'UTC';
select '[1,10)'::int4range, '[1,10]'::int4range, '(1,10]'::int4range, '(1,10)'::int4range, '(1,2)'::int4range, 'empty'::int4range, ' EMPTY '::int4range, '(,)'::int4range, '[,5]'::int4range, '[3,]'::int4range, ' [ 1 , 10 ] '::int4range;
select '[1.5,2.50]'::numrange, '(1.0,1.00)'::numrange, '[1.0,1.00]'::numrange, '[-1e3,NaN]'::numrange, '[-Infinity,Infinity]'::numrange, '(,2.0)'::numrange;
select '[2000-01-01,2000-01-31]'::daterange, '(2000-01-01,2000-01-03)'::daterange, '[2000-01-01,infinity]'::daterange, '(-infinity,2000-01-01)'::daterange, '[-infinity,infinity)'::daterange;
select '[2000-01-01,2000-01-31]'::tsrange, '("2000-01-01 12:00",infinity)'::tsrange, '[2000-01-01 10:00,2000-01-31)'::tsrange, '[2000-01-01 10:00+02,2000-01-31)'::tstzrange, '[1,9223372036854775806]'::int8range;
select '["2000-01-01","a"]'::daterange;
select '[a,b)'::int4range;
select '[5,1]'::int4range;
select '(5,1)'::numrange;
select ''::int4range;
select '['::int4range;
select '[1'::int4range;
select '[1,'::int4range;
select '[1,2'::int4range;
select '[1,2]x'::int4range;
select '[1,2,3]'::int4range;
select '[1]'::int4range;
select 'emptyx'::int4range;
select '1,2]'::int4range;
select '["1,2]'::int4range;
select '[1\'::int4range;
select '[1,2147483647]'::int4range;
select '(2147483647,]'::int4range;
select '[1,9223372036854775807]'::int8range;
select '[1,5874897-12-31]'::daterange;
select '[2000-01-01,5874897-12-31]'::daterange;
select '[4294967296,]'::int4range;
select '["1","\5"]'::int4range, '["1""","5")'::text, '[1""1,22)'::int4range;
set datestyle to 'SQL, DMY';
select '[2000-01-01,2000-01-31 10:00]'::tsrange, '[01/02/2000,]'::daterange;
reset datestyle;
set timezone to 'America/New_York';
select '[2000-01-01 10:00+02,2000-07-31)'::tstzrange, tstzrange('2000-01-01', null);
set timezone to 'UTC';
select 'empty'::int4range::text, '[1,10]'::int4range::text, '[2000-01-01 10:00,]'::tsrange::text, '[1,2]'::text::int4range, ('[1,2]'::varchar)::numrange, '[1,2]'::int4range::varchar(3);
select '[1,2]'::int4range::int8range;
select 'x'::text::int4range;

-- constructors
select int4range(1, 10), int4range(1, 10, '[]'), int4range(1, 10, '()'), int4range(1, 10, '(]'), int4range(1, 1), int4range(1, 1, '[]'), int4range(null, 5), int4range(5, null, '(]'), int4range(null, null), int4range('[1,5)');
select numrange(1, 2), numrange(1.50, 2.5, '[]'), numrange(null, 2.0, '()'), daterange('2000-01-01', '2000-02-01', '[]'), tsrange('2000-01-01', null), tstzrange('2000-01-01 00:00+01', '2000-01-02', '()'), int8range(1, 5::bigint, '(]');
select int4range(5, 1);
select int4range(1, 5, '[');
select int4range(1, 5, 'xx');
select int4range(1, 5, null);
select int4range(1, 2147483647, '[]');
select int4range(1::bigint, 5);
select numrange(1, 5.5::numeric(4, 2)), numrange(x, x + 1) from (values (1.10), (2.25)) v(x);

-- parts
select r, lower(r), upper(r), isempty(r), lower_inc(r), upper_inc(r), lower_inf(r), upper_inf(r) from (values ('[1,10)'::int4range), ('empty'), ('(,5]'), ('[3,)'), ('(,)'), ('[7,7]')) v(r) order by r;
select r, lower(r), upper(r), lower_inc(r), upper_inc(r), lower(r) + 1 from (values ('[1.10,10)'::numrange), ('empty'), ('(,5]'), ('[3.00,)'), (null)) v(r) order by r;
select lower('[2000-01-01,2000-02-01)'::daterange), upper('[2000-01-01,2000-02-01]'::daterange) - 1, upper('[2000-01-01 01:02:03.456,2000-02-01]'::tsrange), lower('[2000-01-01 01:02:03+04,)'::tstzrange), upper('[1,5]'::int8range), lower_inf('[-infinity,)'::tsrange), pg_typeof(lower('[1,2]'::numrange)), pg_typeof(upper('[1,2]'::int8range));
select lower('ABC'), upper('abc'), lower(null), isempty(null::int4range);
select lower('ABC'::text), pg_typeof('[1,2)'::int4range), pg_typeof(int4range(1, 2) * int4range(2, 3));

-- operators, every pair
select a, b, a = b as eq, a <> b as ne, a < b as lt, a <= b as le, a > b as gt, a >= b as ge from (values ('[1,10)'::int4range), ('[5,15)'), ('[10,20)'), ('empty'), ('(,5)'), ('[15,)'), ('(,)'), ('[1,2)')) v(a), (values ('[1,10)'::int4range), ('[5,15)'), ('[10,20)'), ('empty'), ('(,5)'), ('[15,)'), ('(,)'), ('[1,2)')) w(b) order by a, b;
select a, b, a @> b, a <@ b, a && b, a << b, a >> b, a &< b, a &> b, a -|- b, a * b, range_merge(a, b) from (values ('[1,10)'::int4range), ('[5,15)'), ('[10,20)'), ('empty'), ('(,5)'), ('[15,)'), ('(,)'), ('[1,2)')) v(a), (values ('[1,10)'::int4range), ('[5,15)'), ('[10,20)'), ('empty'), ('(,5)'), ('[15,)'), ('(,)'), ('[1,2)')) w(b) order by a, b;
select a, b, a = b, a < b, a @> b, a <@ b, a && b, a << b, a >> b, a &< b, a &> b, a -|- b, a * b, range_merge(a, b) from (values ('[1.0,10)'::numrange), ('[1,10.00)'), ('[1,10]'), ('(1,10]'), ('(1,10)'), ('[10,20]'), ('(10,20)'), ('empty'), ('(,1)'), ('(,1]'), ('[10.0,)'), ('(,)'), ('[1,1]'), ('[-5.5,0)')) v(a), (values ('[1,10)'::numrange), ('[1,10]'), ('(1,10]'), ('(1,10)'), ('[10,20]'), ('(10,20)'), ('empty'), ('(,1)'), ('(,1]'), ('[10,)'), ('(,)'), ('[1,1]'), ('[-5.5,0)')) w(b) order by a, b, a::text;
select a + b from (values ('[1,10)'::int4range, '[5,15)'::int4range), ('[1,5)', '[5,10)'), ('empty', '[1,2)'), ('[1,2)', 'empty'), ('(,3)', '[1,)'), (null, '[1,2)')) v(a, b);
select '[1,5)'::int4range + '[6,10)'::int4range;
select '[1,5)'::numrange + '(5,10)'::numrange;
select '[1,5)'::numrange + '[5,10)'::numrange, '[1,5]'::numrange + '(5,10)'::numrange;
select a - b from (values ('[1,10)'::numrange, '[5,15)'::numrange), ('[1,10]', '(5,15)'), ('[1,10)', '[10,15)'), ('[5,10)', '[1,7]'), ('[5,10)', '[1,70]'), ('empty', '[1,2)'), ('[1,2)', 'empty'), ('(,3)', '[1,)'), ('(,)', '(,3)'), ('(,)', '[3,)'), ('[1,3]', '(1,3)'::numrange * 'empty')) v(a, b);
select '[1,10)'::int4range - '[3,5)'::int4range;
select '[1,3]'::numrange - '(1,3)'::numrange;
select '[2000-01-01,infinity]'::daterange - '[2010-01-01,infinity)'::daterange, '[-infinity,2000-01-01]'::daterange - '(-infinity,2000-01-05)'::daterange;
select '[1,10)'::int4range @> 5, '[1,10)'::int4range @> 10, 5 <@ '[1,10)'::int4range, 'empty'::int4range @> 1, '(,)'::int4range @> 1, '(1.0,2]'::numrange @> 1.00, '(1.0,2]'::numrange @> 2.000, '[1,2]'::numrange @> 2, '[2000-01-01,2000-02-01)'::daterange @> '2000-01-15'::date, '[2000-01-01,2000-02-01)'::tsrange @> '2000-01-15 10:00'::timestamp, 3::bigint <@ '[1,5]'::int8range;
select '[1,10)'::int4range @> '5';
select '[1,10)'::int4range @> '[5,6)', '[5,6)' <@ '[1,10)'::int4range, '[1,10)'::int4range && '[5,6)', '[1,10)'::int4range = '[1,9]', '[1,10)'::int4range * '[5,6)';
select '[1,10)'::int4range @> 5::bigint;
select '[1,10)'::int4range @> 5.5;
select '[1,10)'::int4range && '[1,10)'::int8range;
select '[1,10)'::int4range = '[1,10)'::int8range;
select '[1,10)'::int4range + 5;
select '[1,10)'::int8range @> 5;
select '[2000-01-01,2000-02-01)'::daterange @> '2000-01-15'::timestamp;
select range_merge('[1,2)', '[3,4)');
select range_overlaps_multirange(int4range(1, 2), '{[1,3)}');
select range_overlaps_multirange('[1,2)', int4multirange(int4range(1, 3)));
select range_contains_elem('[1,2)', 1);
select array_length(null, 1);
select isempty('empty');
select range_merge(1, 2), lower(5);
select range_merge('[1,2)'::int4range, '[3,4)'), range_cmp('[1,2)'::int4range, '[1,3)');

-- columns, keys, order
create table ranges (id int primary key, i int4range, n numrange, d daterange, t tsrange, z tstzrange, b int8range, a int4range[]);
insert into ranges values (1, '[1,10]', '[1.0,2.50)', '[2000-01-01,2000-02-01]', '[2000-01-01 10:00,]', '(,2000-01-01 10:00+02)', '[1,5]', '{"[1,3)","empty",NULL}'), (2, 'empty', 'empty', 'empty', 'empty', 'empty', 'empty', '{}'), (3, null, null, null, null, null, null, null), (4, '(,)', '(,)', '(,)', '(,)', '(,)', '(,)', '{"(,)"}'), (5, '[1,10]', '[1.00,2.5)', '[2000-01-01,2000-02-01]', '[2000-01-01 10:00,]', '(,2000-01-01 08:00+00)', '(0,6)', '{"[1,2]"}'), (6, '[-5,3)', '[-1.5,3]', '[1999-12-31,2000-01-05)', '[1999-01-01,1999-01-02)', '[1999-01-01,1999-01-02)', '[-5,9)', '{"[1,3)"}');
select * from ranges order by id;
select id, i from ranges order by i, id;
select id, n from ranges order by n desc nulls last, id;
select d, count(*) from ranges group by d order by d;
select n, count(*) from ranges group by n order by n;
select distinct n from ranges order by n;
select count(distinct n), count(distinct i), count(distinct a) from ranges;
select x.id, y.id from ranges x join ranges y on x.n = y.n order by 1, 2;
select x.id, y.id from ranges x join ranges y on x.i && y.i and x.id < y.id order by 1, 2;
select x.id, y.id from ranges x join ranges y on x.t = y.t and x.z = y.z order by 1, 2;
select id from ranges where i @> 2 order by id;
select id from ranges where i = '[1,11)' order by id;
select id from ranges where n = '[1,2.5)' order by id;
select id from ranges where n > '[1,2.5)' order by id;
select id from ranges where n in ('[1,2.5)', 'empty') order by id;
select id from ranges where i between '[0,1)' and '[1,11)' order by id;
select id from ranges where upper(n) > 2 order by id;
select id from ranges where isempty(d) or d && '[2000-01-20,)' order by id;
select id, a from ranges order by a, id;
select id from ranges where '[1,3)'::int4range = any (a) order by id;
select id from ranges where a @> array['[1,3)'::int4range] order by id;
select i from ranges union select i from ranges order by 1;
select i from ranges intersect select i from ranges where id = 5 order by 1;
select id, rank() over (order by n), lag(n) over (order by id) from ranges order by id;
select (i, n) < ('[1,12)'::int4range, '[1,2)'::numrange) from ranges order by id;
update ranges set n = n * '[2,)' where id = 1 returning n;
update ranges set i = int4range(id, id + 10) where i is null returning id, i;
select n::text || 'x', array_agg(i order by i), to_json(i), jsonb_build_object('r', d), row(i, n) from ranges where id < 5 group by id, i, n, d order by id;
select coalesce(i, 'empty'), case when id > 3 then i else '[7,8)' end, nullif(i, '[1,10]'), greatest(i, '[2,3)'), least(n, '[0,1)') from ranges order by id;
select json_agg(i order by id), array_to_string(array_agg(d order by id), ';') from ranges;
alter table ranges add column e int4range default '[1,2]', add column f numrange not null default numrange(1.0, 2);
select id, e, f from ranges order by id;
delete from ranges where i @> 7 and id <> 4 returning id;
drop table ranges;
create table range_keys (r int4range primary key, n numrange unique, v int);
insert into range_keys values ('[1,5)', '[1.0,2)', 1), ('[5,10)', '[2.0,3)', 2), ('empty', 'empty', 3), ('(,1)', null, 4);
insert into range_keys values ('[1,4]', null, 5);
-- message differs: an index key keeps no display scale
insert into range_keys values ('[100,104]', '[1,2.000)', 5);
insert into range_keys values ('[1,4]', null, 5) on conflict (r) do update set v = 50 returning *;
select * from range_keys where r = '[1,4]';
select * from range_keys where r < '[5,6)' order by r desc;
select n from range_keys order by n limit 2;
select n from range_keys where n = '[2,3.0)';
create index range_keys_v on range_keys (n desc, r);
select n, r from range_keys order by n desc, r limit 3;
create table range_refs (r int4range references range_keys (r), n numrange references range_keys (n));
insert into range_refs values ('[1,4]', '[1,2)');
insert into range_refs values ('[1,6]', null);
drop table range_refs;
drop table range_keys;
-- differs: EXCLUDE is not built
create table range_exclude (r int4range, exclude using gist (r with &&));
-- differs: CREATE TYPE AS RANGE is not built
create type float_range as range (subtype = float8);
create domain short_range as int4range check (upper(value) - lower(value) < 10);
select '[1,5]'::short_range, '[1,5]'::short_range @> 3, lower('[1,5]'::short_range), '[1,5]'::short_range * '[3,9]';
select '[1,50]'::short_range;
drop domain short_range;

-- arrays
select array['[1,2)'::int4range, 'empty'], '{"[1,2)","(,)"}'::int4range[], array[numrange(1.0, 2), null], '{"[\"2000-01-01 10:00:00\",)"}'::tsrange[];
select array['[1,2)'::int4range] = array['[1,1]'::int4range], array[numrange(1.0, 2)] = array[numrange(1, 2.0)], array[numrange(1.0, 2)] < array[numrange(1, 3)], array['[1,2)'::int4range] && array['empty'::int4range];
select r from unnest(array['[3,4)'::int4range, '[1,2)', 'empty', null]) r order by r;
select array_position(array['[3,4)'::int4range, '[1,2)'], '[1,2)'), array_append(array['[3,4)'::int4range], 'empty'), array['[3,4)'::int4range] || '[5,6)'::int4range;

-- the catalog
select rngtypid::regtype, rngsubtype::regtype, rngmultitypid::regtype, rngcanonical, rngsubdiff from pg_range where rngtypid < 16384 order by rngtypid;
select typname, typtype, typcategory, typlen, typarray from pg_type where oid in (3904, 4451, 3905, 6150) order by oid;
select format_type(3904, null), format_type(3905, null), '[1,2)'::int4range is of (int4range), to_regtype('int4multirange[]');
select i, n from (values (int4range(1, 5), numrange(1, 2))) v(i, n) where i is not null and n is distinct from 'empty';
prepare by_range(int4range, numrange, int) as select $1 && '[1,5)', $2 @> 1.5, $1 @> $3, $1 * '[2,3)';
execute by_range('[3,4)', '[1,2)', 3);
execute by_range('[1,4)', 'empty', null);
deallocate by_range;
