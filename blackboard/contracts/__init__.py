"""Contracts: the typed bodies of decisions.

    language     the protocol of a language, the registry, `Contract`
    facets       shared by all languages: limits on facets, and a comparison with unknown effects
    plain        `value` (JSON) and `text` (prose)
    task         `task`: the task of one component
    python       `python`: stubs, read and never executed
    json_schema  `json-schema`: documents that are sent or received
    openapi      `openapi`: requests to a server and its responses
    sql          `sql`: tables, columns, keys and constraints between rows, as DDL
    conformance  the check of files against contracts; `finding`, its results
    uses         the facets that code uses

A language parses a text into facets, its smallest separately compared parts. A text outside every facet (formatting,
order of declarations) can change without an effect; each facet has a digest, to which components have pins. This
package is pure: no text is executed, imported or fetched.
"""
