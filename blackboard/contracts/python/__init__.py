"""The language `python`: stubs, read by `ast` and never executed.

stub          the language itself: text -> facets, and back to a skeleton
source        text -> syntax tree, with the guards against hostile texts
names         what a name in the stub stands for
spelling      one text for each type and each value
declarations  what a stub can declare, and the facet of each
functions     functions, methods and properties
classes       classes of all kinds
docstrings    the `Raises:` of a docstring
skeletons     a module from which an implementer can begin
"""
