"""The schema as text that a person can review: from the catalogue tables, in a stable order, without identifiers."""

from __future__ import annotations

import psycopg

# Everything but the chunks of hypertables, which come and go with the data.
_OURS = "n.nspname = 'public'"

_TABLES = f"""
SELECT c.relname, CASE c.relkind WHEN 'v' THEN 'view' ELSE 'table' END,
       coalesce(array_to_string(c.reloptions, ', '), ''),
       (SELECT format('hypertable by %s, %s', d.column_name, d.time_interval)
        FROM timescaledb_information.dimensions d WHERE d.hypertable_name = c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE {_OURS} AND c.relkind IN ('r', 'v', 'p') ORDER BY c.relname COLLATE "C"
"""
_COLUMNS = f"""
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
       concat_ws(' ', CASE WHEN a.attnotnull THEN 'not null' END,
                 CASE WHEN a.attidentity = 'a' THEN 'generated always as identity' END,
                 'default ' || pg_get_expr(d.adbin, d.adrelid))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE {_OURS} AND c.relkind IN ('r', 'v', 'p') ORDER BY c.relname COLLATE "C", a.attnum
"""
_CONSTRAINTS = f"""
SELECT c.relname, k.conname, pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE {_OURS} ORDER BY c.relname COLLATE "C", k.conname COLLATE "C"
"""
_INDEXES = f"""
SELECT c.relname, i.indexdef
FROM pg_indexes i JOIN pg_class c ON c.relname = i.tablename JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE {_OURS} AND i.schemaname = 'public'
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conname = i.indexname AND k.conrelid = c.oid)
ORDER BY c.relname COLLATE "C", i.indexname COLLATE "C"
"""
_GRANTS = f"""
SELECT c.relname, format('%s: %s', pg_get_userbyid(g.grantee), string_agg(lower(g.privilege_type), ', '
       ORDER BY g.privilege_type))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN aclexplode(c.relacl) g
WHERE {_OURS} AND c.relkind IN ('r', 'v', 'p') AND g.grantee <> c.relowner
GROUP BY 1, g.grantee ORDER BY c.relname COLLATE "C", 2
"""
_POLICIES = r"""
SELECT tablename, format('policy %s for %s: %s, check %s%s', policyname, lower(cmd),
                         regexp_replace(qual, '\s+', ' ', 'g'), with_check,
                         CASE WHEN c.relforcerowsecurity THEN ', forced' ELSE '' END)
FROM pg_policies JOIN pg_class c ON c.oid = format('%I.%I', schemaname, tablename)::regclass
WHERE schemaname = 'public' ORDER BY 1, 2
"""
_FUNCTIONS = f"""
SELECT p.proname, pg_get_function_identity_arguments(p.oid), pg_get_function_result(p.oid)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE {_OURS} AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e') ORDER BY 1, 2
"""


def describe_schema(connection: psycopg.Connection) -> str:
    """Every table and view with its columns, constraints, indexes and rights, and every function."""

    def rows(statement: str) -> list[tuple[str, ...]]:
        return connection.execute(statement).fetchall()  # type: ignore[arg-type]

    columns, constraints, indexes, grants = rows(_COLUMNS), rows(_CONSTRAINTS), rows(_INDEXES), rows(_GRANTS)
    policies = rows(_POLICIES)
    lines: list[str] = []
    for name, kind, options, hypertable in rows(_TABLES):
        head = ", ".join(part for part in (kind, hypertable, options) if part)
        lines.append(f"{name} ({head})")
        lines += [f"    {column} {kind} {more}".rstrip() for table, column, kind, more in columns if table == name]
        lines += [f"    - {constraint}: {text}" for table, constraint, text in constraints if table == name]
        lines += [f"    - {text}" for table, text in indexes if table == name]
        lines += [f"    + {text}" for table, text in grants if table == name]
        lines += [f"    * {text}" for table, text in policies if table == name]
        lines.append("")
    lines += [f"{name}({arguments}) -> {result}" for name, arguments, result in rows(_FUNCTIONS)]
    return "\n".join(lines) + "\n"
