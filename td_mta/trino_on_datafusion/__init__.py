"""Trino's SQL on local files: translated to Apache DataFusion, or refused by name.

A query passes through these files:

    parse.py                    text -> sqlglot's syntax tree, its functions untranslated
    binding/query.py            a query -> a chain of plain subqueries; `translate` is the entry
        sources, set_operations     FROM, joins, UNNEST; UNION and its like
        relations, scopes           columns, and what a name means before and after grouping
        keys                        what rows are sorted and grouped by
    binding/expressions.py      an expression -> DataFusion text with a Trino type, by `nodes.py`
        conditions, values          what each syntax node becomes
        aggregate_calls             the table of aggregates: aggregates, collected_aggregates
        windows                     functions with OVER
    functions/calls.py          a call -> the first form of the function that takes its arguments
        registry, registry_times    the allow-list; overloads.py says how its rows are written
        special_forms               functions with a rule of their own
    casts.py, operators.py      conversions, arithmetic and comparison
    program.py                  collects the kernels, tables and fresh names of one query
    engine.py                   runs the text and the kernels on DataFusion
    time_limit.py               ends the wait for a query that takes too long
    constants.py                queries as values that need no stored table run beforehand

`types.py` holds Trino's types, `kernels/` the vectorised functions over Arrow arrays. Expressions
hold queries and queries hold expressions: they meet in `relations.Context`, which hands both down.

What no table of these modules has is refused before the query runs. A `Refused` names the construct
as a noun phrase ("function rand"), then after a colon why, or what to write instead: callers put
"not supported on local tables:" before it. A `TrinoError` is an error that Trino raises too.

To add an SQL function (first record the real Trino's answers, see the maintainers' guide):

- a scalar one: its kernel in the file of `kernels/` about its subject and a row in
  `functions/registry.py` (times: `registry_times.py`); where its type depends on values or it
  takes any number of arguments, a function and a row in `functions/special_forms.py` instead;
- an aggregate: a function in `binding/aggregates.py`, or in `collected_aggregates.py` where
  DataFusion has none like it, a row in `binding/aggregate_calls.py` and its name in
  `functions/aggregate_names.py` (a test compares the two);
- syntax of its own: a function in `binding/values.py` or `conditions.py` and a row in
  `binding/nodes.py`.
"""
