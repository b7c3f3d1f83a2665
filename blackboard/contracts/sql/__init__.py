"""The language `sql`: the tables that components share, written as DDL.

    ddl         the language itself: text -> facets, and what a change means
    schema      tables, columns, row rules, indexes and views as read, and their facets
    statements  from a text to its statements: what is refused before and after sqlglot reads them
    reading     from statements to a schema
    spelling    one spelling for each name, type and expression
    compare     what a change of each facet does to both sides, and why
    rows        statements that show it: rows that fit a schema, and rows that no longer do
    views       what two queries of a view have in common
    checks      values that fit a check, and values that do not
    conform     whether the DDL of some files holds what a contract declares
    values      values that one type takes and another does not
    references  what a foreign key refuses, and what it does to a row whose target goes

A user reads and writes rows and names its columns (no `SELECT *`, no INSERT without a column list); it works beside
other users of the new contract, so it also reads rows that the old one would not have let in. It writes nothing into
tables that it does not know. Who implements holds exactly what is declared. Unquoted names fold case. Nothing of a text
is executed, and sqlglot is loaded when the first DDL is read.
"""
