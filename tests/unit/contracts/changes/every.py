"""The whole table, by language."""

from changes import (
    api_requests,
    api_responses,
    python_classes,
    python_functions,
    python_generics,
    python_hard,
    python_members,
    python_names,
    python_records,
    python_types,
    schema_objects,
    schema_values,
    sql_tables,
    sql_views,
)

_STUBS = (
    python_functions,
    python_types,
    python_classes,
    python_records,
    python_generics,
    python_hard,
    python_members,
    python_names,
)

PYTHON = tuple(row for module in _STUBS for row in module.ROWS)
SCHEMAS = (*schema_values.ROWS, *schema_objects.ROWS)
SQL = (*sql_tables.ROWS, *sql_views.ROWS)
APIS = (*api_requests.ROWS, *api_responses.ROWS)
EVERY = (*PYTHON, *SCHEMAS, *SQL, *APIS)
