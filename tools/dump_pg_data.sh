#!/usr/bin/env bash
# Writes PostgreSQL's own catalog data as src/sql/frontend/data/*.tsv, from a fresh PostgreSQL 15 cluster.
# usage: tools/dump_pg_data.sh CONNECTION_STRING
# Node trees (proargdefaults, prosqlbody) are written as the SQL they stand for.
# Format: COPY's text format with a header line; every column, reg* columns as numeric OIDs, ordered by OID.
set -euo pipefail
cd "$(dirname "$0")/../src/sql/frontend/data"
tables=(pg_proc pg_operator pg_cast pg_type pg_aggregate pg_language pg_collation pg_am pg_opclass pg_opfamily pg_amop pg_amproc
        pg_range pg_conversion pg_ts_config pg_ts_config_map pg_ts_dict pg_ts_parser pg_ts_template pg_description)
for table in "${tables[@]}"; do
  columns=$(psql -XAtq "$1" -c "
    select string_agg(case when typname like 'reg%' then format('%I::oid', attname)
                           when attname in ('pronamespace', 'typnamespace') then format('least(%1\$I, 13000::oid) as %1\$I', attname)
                           when attname = 'proargdefaults' then 'pg_get_expr(proargdefaults, 0) as proargdefaults'
                           when attname = 'prosqlbody' then 'pg_get_function_sqlbody(oid) as prosqlbody'
                           when typname = '_aclitem' then format('null::text as %I', attname)
                           else quote_ident(attname) end, ', ' order by attnum)
    from pg_attribute join pg_type t on t.oid = atttypid where attrelid = '$table'::regclass and attnum > 0 and not attisdropped")
  where=""
  [ "${columns%%,*}" = oid ] && where="where oid < 12000"
  order=$(psql -XAtq "$1" -c "select string_agg(a::text, ', ') from generate_series(1, least(3, (select count(*) from pg_attribute where attrelid = '$table'::regclass and attnum > 0))) a")
  [ "$table" = pg_type ] && where=""  # the row types of system views and the domains of information_schema
  [ "$table" = pg_description ] && where="where objoid < 12000"
  [ "$table" = pg_proc ] && where="where oid < 12000 or pronamespace = 'information_schema'::regnamespace"
  if [ "$table" = pg_collation ]; then where="where oid in (100, 950, 951) or collname = 'ucs_basic'"; fi
  psql -XAtq "$1" -c "\\copy (select $columns from $table $where order by $order) to '$table.tsv' with (format text, header)"
done

# The relations of pg_catalog and information_schema, and their columns.
psql -XAtq "$1" -c "\\copy (select c.oid, nspname as schema, relname, relkind, reltype, relam, relfilenode, reltablespace, reltoastrelid, relhasindex, relisshared, relhasrules, relreplident from pg_class c join pg_namespace n on n.oid = relnamespace where relkind in ('r', 'v') and nspname in ('pg_catalog', 'information_schema') order by 1) to 'system_relations.tsv' with (format text, header)"
psql -XAtq "$1" -c "\\copy (select attrelid, attnum, attname, atttypid, case typtype when 'd' then typname else '' end as domain, attlen, atttypmod, attndims, attbyval, attalign, attstorage, attnotnull, attcollation from pg_attribute a join pg_type t on t.oid = atttypid join pg_class c on c.oid = attrelid join pg_namespace n on n.oid = relnamespace where relkind in ('r', 'v') and nspname in ('pg_catalog', 'information_schema') and attnum > 0 order by 1, 2) to 'system_attributes.tsv' with (format text, header)"
