"""The language `openapi`: what is asked of a server and what it answers, by OpenAPI 3.1.

    api        the language itself: text -> facets, and back
    text       JSON or YAML -> a value, with nothing in it that could grow or do something
    parts      the facets: one for each operation, parameter, body, status, media type and shared schema
    reading    from a document to its parts
    compare    what a new document means for who asks and for who answers
    exchanges  requests and responses that show it

Users send requests and receive responses. What is not declared is never sent and not understood: a parameter, a media
type, a status. In the schemas of bodies the convention of `json-schema` holds. No facets are docs: summaries,
descriptions, examples, tags, `operationId` (nothing that is sent holds it) and links. In callbacks and webhooks who
implements asks, and the user answers.
"""
