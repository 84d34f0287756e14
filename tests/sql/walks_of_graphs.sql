-- SEARCH and CYCLE of recursive WITH items.
CREATE TEMP TABLE roads (f int, t int, label text);
INSERT INTO roads VALUES (1, 2, 'a'), (1, 3, 'b'), (2, 3, 'c'), (1, 4, 'd'), (4, 5, 'e');
WITH RECURSIVE sg(f, t, label) AS (SELECT * FROM roads g UNION ALL SELECT g.* FROM roads g, sg WHERE g.f = sg.t)
SEARCH DEPTH FIRST BY f, t SET seq SELECT * FROM sg ORDER BY seq;
WITH RECURSIVE sg(f, t, label) AS (SELECT * FROM roads g UNION DISTINCT SELECT g.* FROM roads g, sg WHERE g.f = sg.t)
SEARCH DEPTH FIRST BY f, t SET seq SELECT * FROM sg ORDER BY seq;
WITH RECURSIVE sg AS (SELECT * FROM roads g UNION ALL SELECT g.* FROM roads g JOIN sg before ON g.f = before.t)
SEARCH BREADTH FIRST BY f, t SET seq SELECT * FROM sg ORDER BY seq, label;
WITH RECURSIVE x(c) AS (SELECT 1 UNION SELECT c FROM x) SEARCH DEPTH FIRST BY c SET seq SELECT * FROM x LIMIT 1;
INSERT INTO roads VALUES (5, 1, 'f');
WITH RECURSIVE sg(f, t, label) AS (SELECT * FROM roads g UNION ALL SELECT g.* FROM roads g, sg WHERE g.f = sg.t)
CYCLE f, t SET is_cycle USING path SELECT * FROM sg ORDER BY path;
WITH RECURSIVE sg(f, t, label) AS (SELECT * FROM roads g UNION SELECT g.* FROM roads g, sg WHERE g.f = sg.t)
CYCLE f, t SET is_cycle TO 'Y' DEFAULT 'N' USING path SELECT label, is_cycle, path FROM sg ORDER BY path;
WITH RECURSIVE sg(f, t, label) AS (SELECT * FROM roads g UNION ALL SELECT g.* FROM roads g, sg WHERE g.f = sg.t)
SEARCH DEPTH FIRST BY f, t SET seq CYCLE f, t SET is_cycle TO 1 DEFAULT 0 USING path SELECT * FROM sg ORDER BY seq;
WITH RECURSIVE sg(f, t, label) AS (SELECT * FROM roads g UNION ALL SELECT g.* FROM roads g, sg WHERE g.f = sg.t)
SEARCH BREADTH FIRST BY f, t SET seq CYCLE f, t SET is_cycle USING path SELECT * FROM sg ORDER BY seq, path;
CREATE TEMP VIEW walks AS WITH RECURSIVE sg(f, t, label) AS (SELECT * FROM roads g UNION ALL
SELECT g.* FROM roads g, sg WHERE g.f = sg.t) SEARCH DEPTH FIRST BY f, t SET seq CYCLE f, t SET is_cycle USING path
SELECT f, t, label, is_cycle FROM sg;
SELECT * FROM walks ORDER BY 1, 2, 3, 4;
-- What is wrong with them.
WITH RECURSIVE sg(f, t, label) AS (SELECT * FROM roads UNION ALL SELECT g.* FROM roads g, sg WHERE g.f = sg.t)
SEARCH DEPTH FIRST BY foo SET seq SELECT * FROM sg;
WITH RECURSIVE sg(f, t, label) AS (SELECT * FROM roads UNION ALL SELECT g.* FROM roads g, sg WHERE g.f = sg.t)
SEARCH DEPTH FIRST BY f, t SET label SELECT * FROM sg;
WITH RECURSIVE sg(f, t, label) AS (SELECT * FROM roads UNION ALL SELECT g.* FROM roads g, sg WHERE g.f = sg.t)
SEARCH DEPTH FIRST BY f, f SET seq SELECT * FROM sg;
WITH RECURSIVE sg(f, t, label) AS (SELECT * FROM roads UNION ALL SELECT * FROM roads UNION ALL
SELECT g.* FROM roads g, sg WHERE g.f = sg.t) SEARCH DEPTH FIRST BY f SET seq SELECT * FROM sg;
WITH RECURSIVE sg(f, t, label) AS (SELECT * FROM roads UNION ALL (SELECT * FROM roads UNION ALL
SELECT g.* FROM roads g, sg WHERE g.f = sg.t)) SEARCH DEPTH FIRST BY f SET seq SELECT * FROM sg;
WITH RECURSIVE sg(f, t, label) AS (SELECT * FROM roads UNION ALL
SELECT g.* FROM roads g, (SELECT * FROM sg) s WHERE g.f = s.t) SEARCH DEPTH FIRST BY f SET seq SELECT * FROM sg;
WITH sg AS (SELECT * FROM roads) SEARCH DEPTH FIRST BY f SET seq SELECT * FROM sg;
WITH RECURSIVE sg(f, t, label) AS (SELECT * FROM roads UNION ALL SELECT g.* FROM roads g, sg WHERE g.f = sg.t)
CYCLE foo SET is_cycle USING path SELECT * FROM sg;
WITH RECURSIVE sg(f, t, label) AS (SELECT * FROM roads UNION ALL SELECT g.* FROM roads g, sg WHERE g.f = sg.t)
CYCLE f, t SET is_cycle TO true DEFAULT 55 USING path SELECT * FROM sg;
WITH RECURSIVE sg(f, t, label) AS (SELECT * FROM roads UNION ALL SELECT g.* FROM roads g, sg WHERE g.f = sg.t)
CYCLE f, t SET is_cycle TO point '(1,1)' DEFAULT point '(0,0)' USING path SELECT * FROM sg;
WITH RECURSIVE sg(f, t, label) AS (SELECT * FROM roads UNION ALL SELECT g.* FROM roads g, sg WHERE g.f = sg.t)
CYCLE f, t SET label USING path SELECT * FROM sg;
WITH RECURSIVE sg(f, t, label) AS (SELECT * FROM roads UNION ALL SELECT g.* FROM roads g, sg WHERE g.f = sg.t)
CYCLE f, t SET is_cycle USING label SELECT * FROM sg;
WITH RECURSIVE sg(f, t, label) AS (SELECT * FROM roads UNION ALL SELECT g.* FROM roads g, sg WHERE g.f = sg.t)
CYCLE f, t SET foo USING foo SELECT * FROM sg;
WITH RECURSIVE sg(f, t, label) AS (SELECT * FROM roads UNION ALL SELECT g.* FROM roads g, sg WHERE g.f = sg.t)
SEARCH DEPTH FIRST BY f SET foo CYCLE f, t SET foo USING path SELECT * FROM sg;
WITH RECURSIVE sg(f, t, label) AS (SELECT * FROM roads UNION ALL SELECT g.* FROM roads g, sg WHERE g.f = sg.t)
SEARCH DEPTH FIRST BY f SET foo CYCLE f, t SET is_cycle USING foo SELECT * FROM sg;
