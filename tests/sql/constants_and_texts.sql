-- What a literal is from the moment it is read, in what is stored; texts of odd types; strings of json.
CREATE TEMP TABLE lengths (id int, c char(4) DEFAULT 'ab', b bit(3) DEFAULT '101', v bit varying(5) DEFAULT '1001', w bit varying(5) DEFAULT B'0101',
  x bit(8) DEFAULT x'1f', cs char(3)[] DEFAULT '{ab,cde}', one char DEFAULT 'x', ch "char" DEFAULT 'x');
INSERT INTO lengths (id) VALUES (1);
SELECT * FROM lengths;
SELECT attname, pg_get_expr(adbin, adrelid) FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
  WHERE adrelid = 'lengths'::regclass ORDER BY adnum;
CREATE TEMP VIEW constants AS SELECT b'101' AS b, x'1f' AS f, '101'::bit AS c, bit '101' AS e, '101'::"bit" AS g, b'11'::varbit AS h, 'ab'::char AS i,
  'ab'::bpchar AS j, '1.5'::numeric AS l, '2020-1-1'::date AS m, '10:00'::time AS n, '1 day 2 hours'::interval AS o, '{1, 2}'::int[] AS p, 't'::bool AS q,
  '007'::int AS r, '0x41'::text AS s, '1e3'::float8 AS t, '1'::int8 AS u, ' a'::name AS v, '\x41'::bytea AS w, '{"a":1}'::jsonb AS x, '1.2.3.4'::inet AS y;
SELECT * FROM constants;
SELECT pg_get_viewdef('constants'::regclass);
CREATE TEMP VIEW of_today AS SELECT 'today'::date = current_date AS same, 'now'::timestamptz <= now() AS before;
SELECT pg_get_viewdef('of_today'::regclass) ~ 'now|today' AS still_open, * FROM of_today;
CREATE TEMP TABLE frozen (id int, a numeric DEFAULT '1.5', b date DEFAULT '2020-1-1', c int[] DEFAULT '{1, 2}', d bool DEFAULT 't', e int8 DEFAULT '007',
  f jsonb DEFAULT '{"a":1}', g timestamptz DEFAULT 'now', h date DEFAULT 'today', i time DEFAULT '10:00', j float8 DEFAULT '1e3', k numeric DEFAULT '5',
  l uuid DEFAULT 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', m inet DEFAULT '1.2.3.4', n int2 DEFAULT '5', o int4 DEFAULT '-5', p int4 DEFAULT '-5'::int,
  u bytea DEFAULT '\x41', v bytea DEFAULT 'abc', w int4range DEFAULT '[1,3]', x point DEFAULT '1,2', y oid DEFAULT '5', z json DEFAULT '{"a":1}');
SELECT attname, pg_get_expr(adbin, adrelid) FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
  WHERE adrelid = 'frozen'::regclass AND attname NOT IN ('g', 'h') ORDER BY adnum;
INSERT INTO frozen (id) VALUES (1);
SELECT pg_sleep(0.01);
INSERT INTO frozen (id) VALUES (2);
SELECT count(DISTINCT g), count(DISTINCT h) FROM frozen;
ALTER TABLE frozen ALTER COLUMN g SET DEFAULT 'now', ADD COLUMN late date DEFAULT '2020-2-2', ADD COLUMN later char(5) DEFAULT 'abc';
SELECT id, late, later FROM frozen ORDER BY id;
SET datestyle = 'SQL, DMY';
CREATE TEMP TABLE styled (id int, d date DEFAULT '2/1/2020', t timestamp DEFAULT '2/1/2020 10:00');
RESET datestyle;
INSERT INTO styled VALUES (1);
SELECT * FROM styled;
SELECT '\377'::"char", '\377'::"char"::text, length('\377'::"char"::text), '\101'::"char", '\'::"char", ''::"char"::text, 'x'::"char"::text, '\377'::text::"char",
  '\000'::"char", 'ab'::"char", '\4000'::"char", 'ab'::text::"char", ''::text::"char";
SELECT '15:36:39 m2'::timetz;
SELECT '15:36:39 y2'::time;
SELECT '15:36:39 y2001m02 America/New_York'::timetz;
SELECT '15:36:39 y2001m02d04 America/New_York'::timetz, '2001-02-04 15:36:39'::time;
SELECT json '{ "a":  "\ud83dX" }' -> 'a';
SELECT json '{ "a":  "\ud83dX", "b":1 }' -> 'b';
SELECT json '{ "a":  "\ud83d\ud83d" }' ->> 'b';
SELECT json '{ "a":  "null \u0000 escape" }' ->> 'a' AS fails;
SELECT json '[1, "\u0000"]' -> 0;
SELECT json '[1, "\u0000"]' #> '{0}';
SELECT json '[1, "\u0000"]' #>> '{0}';
SELECT json_array_elements('[1, "\u0000"]');
SELECT json_array_elements_text('[1, "\u0000"]');
SELECT json_each('{"a":1, "b":"\u0000"}');
SELECT json_object_keys('{"a":1, "b":"\u0000"}');
SELECT json_strip_nulls('{"a":1, "b":"\u0000"}');
SELECT json_typeof('"\u0000"'), json_array_length('["\u0000"]'), json '{"a":"\ud83d\ude04"}' -> 'a', json '["\u00e9"]' ->> 0;
SELECT '"\u0000"'::json ->> 0;
SELECT 123abc;
SELECT 0x0o;
SELECT 1, 'é', 1_2_3;
SELECT 1a2;
SELECT 'x' LIKE 'x\', '' LIKE '\', '' LIKE '%\';
SELECT 'x' LIKE '%\';
SELECT 'xy' LIKE 'x\';
SELECT pg_size_bytes('1kB'), pg_size_bytes('1.5 MB'), pg_size_bytes(' 10 '), pg_size_bytes('-1GB'), pg_size_bytes('1TB'), pg_size_bytes('3pb'), pg_size_bytes('+.5mb'),
  pg_size_bytes('1e2 kB'), pg_size_bytes('10 bytes');
SELECT pg_size_bytes('1 AB');
SELECT pg_size_bytes('1 AB A    ');
SELECT pg_size_bytes('abc');
SELECT pg_size_bytes('');
SELECT pg_size_bytes('.+912');
SELECT pg_size_bytes('1e100 TB');
SELECT pg_size_bytes('9223372036854775807.9');
CREATE ROLE passwords_1 PASSWORD 'secret';
SET password_encryption = 'md5';
CREATE ROLE passwords_2 PASSWORD 'secret';
CREATE ROLE passwords_3 PASSWORD '';
CREATE ROLE passwords_4 PASSWORD 'md5012345678901234567890123456789ab';
SELECT rolname, regexp_replace(rolpassword, '(SCRAM-SHA-256)\$(\d+):([a-zA-Z0-9+/=]+)\$([a-zA-Z0-9+=/]+):([a-zA-Z0-9+/=]+)', '\1$\2:<salt>$<stored>:<server>')
  FROM pg_authid WHERE rolname LIKE 'passwords%' ORDER BY 1;
ALTER ROLE passwords_2 RENAME TO passwords_5;
ALTER ROLE passwords_1 PASSWORD NULL;
ALTER ROLE passwords_4 PASSWORD 'md501234567890123456789012345678901zz';
SELECT rolname, rolpassword ~ 'zz' AS open, rolpassword IS NULL FROM pg_authid WHERE rolname LIKE 'passwords%' ORDER BY 1;
DROP ROLE passwords_1, passwords_3, passwords_4, passwords_5;
RESET password_encryption;
CREATE TEMP TABLE keyed (id int CONSTRAINT keyed_pkey PRIMARY KEY, a text, b int);
CREATE TEMP VIEW by_key AS SELECT id, a, count(*) FROM keyed GROUP BY id;
CREATE TEMP VIEW by_both AS SELECT id, a, count(*) FROM keyed GROUP BY id, a;
CREATE TEMP VIEW within AS SELECT b FROM keyed WHERE a IN (SELECT a FROM keyed GROUP BY id);
ALTER TABLE keyed DROP CONSTRAINT keyed_pkey;
DROP VIEW within;
ALTER TABLE keyed DROP CONSTRAINT keyed_pkey RESTRICT;
ALTER TABLE keyed DROP CONSTRAINT keyed_pkey CASCADE;
SELECT count(*) FROM by_both;
SELECT count(*) FROM by_key;
CREATE TEMP VIEW numbers AS SELECT '11'::text AS a, '1259'::varchar AS b, '99999999999999999999'::text AS c, '11'::int8 AS d;
SELECT pg_get_viewdef('numbers'::regclass);
SELECT * FROM numbers;
