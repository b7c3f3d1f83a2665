"""The language `json-schema`: documents that are sent or received, by JSON Schema 2020-12.

    schema      the language itself: text -> facets, and back to a sample document
    documents   where the schemas of a text are, what its references name, and what is refused
    metaschema  the check by the `jsonschema` library
    normal      one spelling for each schema
    properties  the facets: one for each property's path, one for each name under `$defs`
    samples     a document that shows the shape
    positions   line and column of a place in a JSON text

Nothing is ever fetched: a reference names something in the same text.
"""
