"""psycopg2 and psycopg 3 as people use them: what their calls give on both servers."""

import datetime
import decimal
import uuid

import psycopg
import psycopg2
import psycopg2.extras

CASES = []


def case(function):
    CASES.append((function.__name__, function))
    return function


def error(function, *arguments):
    try:
        return function(*arguments)
    except (psycopg.Error, psycopg2.Error) as e:
        code = getattr(e, "sqlstate", None) or getattr(e, "pgcode", None)
        return f"{type(e).__name__} {code}"


def setup(cursor):
    cursor.execute("drop table if exists dr")
    cursor.execute("create table dr(id serial primary key, name text not null, amount numeric(12,2), at timestamptz, day date, "
                   "u uuid, flags boolean, raw bytea, tags text[], doc jsonb, f float8)")


ROW = ("n\u00e9", decimal.Decimal("12.50"), datetime.datetime(2024, 2, 29, 12, 0, 0, 5, datetime.timezone.utc),
       datetime.date(2024, 2, 29), uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), True, b"\0\xff", ["a", "b c"], 1.5)


@case
def driver_psycopg2(server):
    psycopg2.extras.register_uuid()
    connection = psycopg2.connect(host="127.0.0.1", port=server.port, user="postgres", dbname="postgres")
    out = []
    with connection, connection.cursor() as cursor:
        setup(cursor)
        cursor.execute("insert into dr(name,amount,at,day,u,flags,raw,tags,f,doc) values (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s) returning id",
                       (*ROW, psycopg2.extras.Json({"a": [1, None]})))
        out.append(cursor.fetchall())
        cursor.execute("select * from dr")
        out.append([tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in cursor.fetchall()])
        out.append([(c.name, c.type_code) for c in cursor.description])
        psycopg2.extras.execute_values(cursor, "insert into dr(name, f) values %s", [(f"n{i}", i / 3) for i in range(50)])
        cursor.execute("select count(*), sum(f), max(name) from dr where name like %s", ("n%",))
        out.append(cursor.fetchall())
    out.append(error(connection.cursor().execute, "insert into dr(id, name) values (1, 'x')"))
    out.append(connection.get_transaction_status())
    connection.rollback()
    with connection.cursor("named") as named:  # a server-side cursor
        named.itersize = 7
        named.execute("select name from dr order by id")
        out.append([row[0] for row in named])
    connection.rollback()
    connection.autocommit = True
    connection.set_session(isolation_level="REPEATABLE READ")
    with connection.cursor() as cursor:
        cursor.execute("show transaction_isolation")
        out.append(cursor.fetchall())
        import io
        cursor.copy_expert("copy dr(name, f) from stdin", io.StringIO("c1\t1.5\nc2\t\\N\n"))
        out.append(cursor.rowcount)
        target = io.StringIO()
        cursor.copy_expert("copy (select name, f from dr where name like 'c%' order by 1) to stdout", target)
        out.append(target.getvalue())
    connection.close()
    return out


@case
def driver_psycopg3(server):
    out = []
    with psycopg.connect(f"host=127.0.0.1 port={server.port} user=postgres dbname=postgres", autocommit=True) as connection:
        cursor = connection.cursor()
        setup(cursor)
        cursor.execute("insert into dr(name,amount,at,day,u,flags,raw,tags,f,doc) values (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s) returning id",
                       (*ROW, psycopg.types.json.Jsonb({"a": [1, None]})))
        out.append(cursor.fetchall())
        for is_binary in (False, True):
            with connection.cursor(binary=is_binary) as typed:
                typed.execute("select * from dr where id = %s and name = %s", (1, "n\u00e9"))
                out.append(typed.fetchall())
                out.append([(c.name, c.type_code) for c in typed.description])
        for i in range(12):  # becomes a prepared statement at the fifth execution
            out.append(connection.execute("select %s::int + 1, %s::text", (i, str(i)), prepare=None).fetchone())
        cursor.executemany("insert into dr(name, f) values (%s, %s)", [(f"m{i}", i / 7) for i in range(20)])
        out.append(cursor.rowcount)
        out.append(error(connection.execute, "select * from missing"))
        with connection.transaction():
            connection.execute("insert into dr(name) values ('kept')")
            out.append(error(fail_inside, connection))
            connection.execute("insert into dr(name) values ('kept too')")
        out.append(connection.execute("select name from dr where name like 'kept%' order by 1").fetchall())
        with cursor.copy("copy dr(name, f) from stdin") as copy:
            for i in range(3):
                copy.write_row((f"r{i}", i / 2))
        with cursor.copy("copy (select name, f from dr where name like 'r%' order by 1) to stdout") as copy:
            copy.set_types(["text", "float8"])
            out.append(list(copy.rows()))
        with connection.transaction(), connection.cursor("server_side") as named:
            named.execute("select generate_series(1, 30)")
            out.append(named.fetchmany(7))
            out.append(named.fetchall())
        if psycopg.capabilities.has_pipeline() if hasattr(psycopg, "capabilities") else psycopg.Pipeline.is_supported():
            with connection.pipeline():
                futures = [connection.execute("select %s::int", (i,)) for i in range(5)]
                out.append([f.fetchone() for f in futures])
        out.append(error(cancelled, connection))
        out.append(connection.execute("select 1").fetchall())
    return out


def fail_inside(connection):
    with connection.transaction():
        connection.execute("insert into dr(name) values ('lost')")
        connection.execute("insert into dr(id, name) values (1, 'duplicate')")


def cancelled(connection):
    import threading
    timer = threading.Timer(0.3, connection.cancel)
    timer.start()
    try:
        connection.execute("select pg_sleep(20)")
    finally:
        timer.join()
