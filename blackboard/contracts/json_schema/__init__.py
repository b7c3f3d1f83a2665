"""The language `json-schema`: documents that are sent or received, by JSON Schema 2020-12.

    schema      the language itself: text -> facets, and back to a sample document
    documents   where the schemas of a text are, what its references name, and what is refused
    metaschema  the check by the `jsonschema` library
    normal      one spelling for each schema
    properties  the facets: one for each property's path, one for each name under `$defs`
    samples     a document that shows the shape
    compare     what a new schema means for who sends and who receives, facet by facet
    solve       the search for a document that is right for one schema and wrong for another
    cases       the cases of such a search; `scalars`, `arrays`, `objects` find a value for one
    patterns    regular expressions as automata
    judge       the last word on a document, by the `jsonschema` library
    literals    what all of the search share
    versus      two documents beside each other: what one sends and the other refuses
    whole       a schema with all that it refers to
    conform     whether documents are valid by a schema, with file and line
    positions   line and column of a place in a JSON text

Nothing is ever fetched: a reference names something in the same text.
"""
