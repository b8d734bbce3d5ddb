"""Values of `make seed` that the type of a column does not determine, one module for each table.

A module has the name of the table. Its function `values` returns functions by the key of a column.
They get the number of a row, from 1, and return its value. `NOTES` are printed with the table.
If `IS_EMPTY` is true, the table gets no rows, and the module needs no function. `TOGETHER_WITH`
names a table: without new rows of that table, there are none of this one.
"""
