"""Statements around a query: EXPLAIN's formats, and the parameters that CREATE TABLE AS, SELECT INTO, EXPLAIN and DECLARE take."""

import xml.etree.ElementTree

from wire.cases import talk
from wire.raw import B, D, E, P, Q, S
from harness.wire import Connection

CASES = []
ALONE = []


def case(function):
    CASES.append((function.__name__, function))
    return function


def alone(function):
    ALONE.append((f"utilities_{function.__name__}", function))
    return function


@case
def explain_says_what_it_returns(server):
    forms = ("", "(format text)", "(format json)", "(format xml)", "(format yaml)", "(format xml, analyze)")
    return talk(server, *[P(f"explain {form} select 1") + D("S") + S for form in forms],
                Q("explain (format xlm) select 1"), Q("explain (format) select 1"))


@case
def create_table_as_takes_parameters(server):
    return talk(server, P("create temp table cta1 as select $1::int as a, $2 as b") + D("S") + B("", "", [b"7", b"x"]) + E() + S,
                Q("select * from cta1"),
                P("create temp table cta2 as select a, $1 as c from cta1 where a = $2", "", [25]) + D("S")
                + B("", "", [None, b"7"]) + E() + S, Q("select * from cta2"),
                P("select a + $1 as d into temp cta3 from cta1") + D("S") + B("", "", [b"35"]) + E() + S, Q("select * from cta3"),
                P("create temp table if not exists cta3 as select $1::int") + B("", "", [b"1"]) + E() + S,
                P("create temp table cta4 as select $1::int") + B("", "", []) + E() + S,
                P("create temp table cta5 as select $1") + B("", "", [b"1"]) + E() + S, Q("select * from cta5"),
                P("create temp table cta6 as select nothing") + S,
                P("create temp table cta7 as select generate_series(1, $1) as n with no data") + B("", "", [b"3"]) + E() + S,
                P("create materialized view cta8 as select $1::int as a") + B("", "", [b"1"]) + E() + S,
                P("create view cta9 as select $1::int as a") + B("", "", []) + E() + S)


@case
def create_table_as_execute_takes_parameters(server):
    return talk(server, Q("prepare cte(int, text) as select $1 as a, $2 as b"), Q("create temp table cte1 as execute cte(1 + 1, 'x')"),
                Q("select * from cte1"), Q("create temp table cte2 as execute cte(1)"), Q("create temp table cte3 as execute cte('a', 'b')"),
                Q("create temp table cte4 as execute nothing(1)"))


@case
def a_portal_of_create_table_as_runs_again(server):
    return talk(server, P("create temp table again as select $1::int as a", "s") + B("p", "s", [b"1"]) + E("p") + S,
                Q("drop table again"), B("p", "s", [b"2"]) + E("p") + S, Q("select * from again"))


@case
def explain_takes_parameters(server):
    return talk(server, P("explain (format json) select $1::int, $2") + D("S") + S,
                P("explain (format json) create table never as select $1::int") + D("S") + S,
                P("explain (format json) declare c cursor for select $1::int") + D("S") + S)


@alone
def explain_documents(server):
    queries = ("select * from generate_series(1, 3) g where g < 2", "select '<a>&\"' || 'b]]>'", "create table never as select 1",
               "declare c cursor for select 1", "select 1 into never", "execute ask(1)")
    connection = Connection(server.port)
    connection.query("prepare ask(int) as select 1 where $1 < 2")
    for route in ("auto", "rows"):
        connection.query(f"set omendb.route = {route}")
        for query in queries:
            text = connection.scalar(f"explain (format xml) {query}")
            root = xml.etree.ElementTree.fromstring(text)
            space = "{http://www.postgresql.org/2009/explain}"
            assert root.tag == space + "explain" and root.find(f"{space}Query/{space}Plan/{space}Node-Type") is not None, text
            text = connection.scalar(f"explain (format yaml) {query}")
            assert text.startswith("- Plan: \n    Node Type: \""), text
    connection.close()
