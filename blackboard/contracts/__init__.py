"""Contracts: the typed texts that decisions agree about.

A map of the room:

    language     the protocol of a language, the registry, `Contract`
    facets       what all languages share: limits on facets, and the comparison that decides nothing
    plain        `value` (JSON) and `text` (prose)
    task         `task`: one part of the plan
    python       `python`: stubs, read and never executed
    json_schema  `json-schema`: documents that are sent or received
    openapi      `openapi`: what is asked of a server and what it answers
    sql          `sql`: tables, columns, keys and what holds between rows, as DDL
    conformance  how files are held against contracts, and `finding`, what is found
    uses         which facets code relies on

A language turns a text into facets, its smallest separately compared parts. Whatever is not in a facet (docs,
formatting, order of declarations) can change without anybody noticing; whatever is in one has a digest that others pin.
Everything here is pure: no text is executed, imported or fetched.
"""
