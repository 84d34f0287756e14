-- Subqueries in what MERGE, UPDATE and RETURNING write and give, which refer to the rows beside.
CREATE TEMP TABLE src (a int, b int, c int, d int);
CREATE TEMP TABLE tgt (a int, b int, c int, d int);
CREATE TEMP TABLE ref (ab int, cd int);
INSERT INTO src VALUES (1, 2, 3, 4), (2, 3, 4, 5), (5, 5, 5, 5);
INSERT INTO tgt VALUES (1, 0, 9, 9), (2, 0, 9, 9);
INSERT INTO ref VALUES (3, -1), (5, -1), (5, -1);
MERGE INTO tgt t USING (SELECT *, (SELECT count(*) FROM ref r WHERE r.ab = s.a + s.b AND r.cd = s.c - s.d) cnt FROM src s) s
  ON t.a = s.a AND t.b < s.cnt
  WHEN MATCHED AND t.c > s.cnt THEN UPDATE SET (b, c) = (SELECT s.b, s.cnt);
SELECT * FROM tgt ORDER BY a;
MERGE INTO tgt t USING src s ON t.a = s.a WHEN MATCHED THEN UPDATE SET (b, c) = (SELECT t.c + s.c, max(ab) FROM ref WHERE ab >= s.a);
SELECT * FROM tgt ORDER BY a;
MERGE INTO tgt t USING src s ON t.a = s.a
  WHEN MATCHED THEN UPDATE SET b = (SELECT x FROM (SELECT s.c + t.a AS x) q), d = (SELECT count(*) FROM ref WHERE ab > s.a)
  WHEN NOT MATCHED THEN INSERT VALUES (s.a, (SELECT y FROM (SELECT s.b * 2 AS y) q), (WITH w AS (SELECT s.d AS z) SELECT z FROM w));
SELECT * FROM tgt ORDER BY a;
UPDATE tgt SET (b, c) = (SELECT s.b, s.d) FROM src s WHERE s.a = tgt.a
  RETURNING tgt.*, (SELECT x FROM (SELECT s.c * 100 + tgt.b AS x) q) AS of_both;
UPDATE tgt SET (b, c) = (SELECT ab, cd FROM ref WHERE ab = 5);
DELETE FROM tgt USING src s WHERE s.a = tgt.a AND s.a = 5 RETURNING (SELECT x || y FROM (SELECT s.a::text AS x, tgt.b AS y) q);
INSERT INTO tgt VALUES (7, 7) RETURNING (SELECT x FROM (SELECT a + b AS x) q), (WITH w AS (SELECT c AS z) SELECT coalesce(z, -1) FROM w);
SELECT a, (SELECT x FROM (SELECT a + 1 AS x) q), generate_series(1, 2) FROM tgt ORDER BY a DESC, 3;
SELECT (SELECT x FROM (SELECT max(t.a) AS x) q), generate_series(1, 2) AS g FROM tgt t GROUP BY g;
SELECT a, (SELECT x FROM (SELECT t.b AS x) q), row_number() OVER (ORDER BY a) FROM tgt t ORDER BY a;
SELECT g, (SELECT x FROM (SELECT g AS x) q) FROM (SELECT generate_series(1, 2) AS g FROM tgt) t GROUP BY g, 2 ORDER BY 1;
