"""Which facets of decisions some files rely on, by syntax alone; nothing is executed.

offers      what can be relied on: the contracts that other components implement, and under which names
python      imports, calls, attributes through annotated and returned types, context managers, keywords, JSON paths
literals    tables and columns in SQL that stands in strings

What cannot be told for certain is not said: a name that two contracts offer, a type that nobody wrote down.
"""
