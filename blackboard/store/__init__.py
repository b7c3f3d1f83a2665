"""Where a board is kept: tables, statements, the one writer, and what reads and applies.

`writer` is the only module that begins or ends a writing transaction; what differs between engines stands in
`dialect`; nothing here decides anything: policy is in `blackboard.plan`.
"""
