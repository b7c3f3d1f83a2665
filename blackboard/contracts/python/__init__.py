"""The language `python`: stubs, read by `ast` and never executed.

stub          the language itself: text -> facets, and back to a skeleton
source        text -> syntax tree, with the guards against hostile texts
names         what a name in the stub stands for
spelling      one text for each type and each value
declarations  what a stub can declare, and the facet of each
functions     functions, methods and properties
classes       classes of all kinds
module_name   which module a stub describes
docstrings    the `Raises:` of a docstring
compare       what a new stub means for those who use the old one and those who implement it
serving_classes, serving  whether what one stub promises serves who counts on another, facet by facet
proofs, snippets          programs that worked and fail
flows         who gives and who receives the values of a class
calls         whether a function serves all calls that are wanted
members       what a class has, with what it inherits
subtyping     whether every value of one type is one of another
types         types as data
known         the classes that everybody knows
excerpt       the lines of a stub that declare some facets
skeletons     a module from which an implementer can begin
modules       the Python files of a component as modules
interface     what a contract declares, as syntax
conform       code against a contract by syntax: what a type checker misses
probe         a module of claims for a type checker: code against a contract by types
checker       both together, and what the type checker says in the words of the contract
"""
