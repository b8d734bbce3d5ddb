"""Compile statements with SQLAlchemy's dialect for asyncpg.

`databases` compiles with the dialect of another driver, which omits the casts that asyncpg needs,
and it compiles at every execution, which takes longer than a short query.

SQLAlchemy has no public interface for executing its SQL without its own connections. This module
calls the same private methods as those. `tests/sql` covers them, so run it after each update of
SQLAlchemy.
"""
# ruff: noqa: SLF001

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, TypeAlias
from weakref import WeakSet

from asyncpg import Attribute
from sqlalchemy import Executable
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg, PGExecutionContext_asyncpg
from sqlalchemy.engine import CursorResult
from sqlalchemy.engine.cursor import CursorResultMetaData
from sqlalchemy.engine.result import ResultMetaData
from sqlalchemy.exc import InvalidRequestError, StatementError
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.util import LRUCache

Values: TypeAlias = Mapping[str, Any]

_CACHE_SIZE = 500

# The dialect and its objects are untyped.
DIALECT: Any = PGDialect_asyncpg(dbapi=PGDialect_asyncpg.import_dbapi())  # type: ignore[no-untyped-call]
#: Describes the result of a statement without rows.
NO_ROWS: ResultMetaData = CursorResult._no_result_metadata
# Statements of the same structure share one compiled form, also if they are built for each call.
_cache: LRUCache[Any, Any] = LRUCache(_CACHE_SIZE)


class CompiledStatement:
    """SQL that asyncpg executes, and how to convert its values and its rows."""

    def __init__(self, statement: Executable, names: Sequence[str]) -> None:
        """Compile a statement for values with these names.

        If an INSERT or UPDATE has no `values()`, the names are the columns that it sets.
        """
        self._statement: Any = statement
        if isinstance(statement, FunctionElement):
            self._statement = statement.select()
        self._compiled, self._extracted, self._collected, _ = self._statement._compile_w_cache(
            DIALECT, compiled_cache=_cache, column_keys=list(names)
        )
        compiled = self._compiled
        # The SQL then depends on the values: `IN` has one placeholder for each element.
        self._is_expanding = bool(compiled.post_compile_params or compiled.literal_execute_params)
        self._has_defaults = bool(compiled.insert_prefetch or compiled.update_prefetch)
        # The keys of `$1`, `$2` and so on, and the conversions of their values.
        self._parameters = [
            (compiled.binds[name].key, compiled._bind_processors.get(name))
            for name in compiled.positiontup
        ]
        self._keys = frozenset(key for key, _ in self._parameters)
        self._metadata: ResultMetaData | None = None

    def bind(self, values: Values, group: int | None = None) -> tuple[str, list[Any]]:
        """Return the SQL, and the values of `$1`, `$2` and so on.

        `group` is the number of the execution in error messages, if there are several.

        Raises `StatementError` if a value is missing or cannot be converted.
        """
        is_complete = values.keys() >= self._keys
        try:
            if is_complete and not self._is_expanding and not self._has_defaults:
                # Takes a quarter of the time.
                return self._compiled.string, [
                    process(values[key]) if process else values[key]
                    for key, process in self._parameters
                ]
            return self._bind(values, group)
        except Exception as error:
            # As SQLAlchemy does it, but without the values, which no log may contain.
            message = f"({type(error).__name__}) {error}"
            raise StatementError(
                message, self._compiled.string, None, error, hide_parameters=True
            ) from error

    def _bind(self, values: Values, group: int | None) -> tuple[str, list[Any]]:
        compiled = self._compiled
        sql, names, processors = compiled.string, compiled.positiontup, compiled._bind_processors
        parameters = compiled.construct_params(
            values,
            extracted_parameters=self._extracted,
            escape_names=False,
            _group_number=group,
            _collected_params=self._collected,
        )
        if self._has_defaults:
            _Context(self._statement, compiled).add_defaults(parameters)
        if self._is_expanding:
            expanded = compiled._process_parameters_for_postcompile(parameters)
            sql, names = expanded.statement, expanded.positiontup
            processors = {**processors, **expanded.processors}
        return sql, [
            process(parameters[name]) if (process := processors.get(name)) else parameters[name]
            for name in names
        ]

    def bind_many(self, sequence: Sequence[Values]) -> tuple[str, list[list[Any]]]:
        """Return the SQL, and the values of each execution. Raises `StatementError`."""
        if self._is_expanding:
            raise InvalidRequestError("IN with a list of values accepts no sequence of parameters")
        arguments = [self.bind(values, group)[1] for group, values in enumerate(sequence)]
        return self._compiled.string, arguments

    @property
    def metadata(self) -> ResultMetaData | None:
        """The names and conversions of the result's columns, or None if they are not known yet."""
        return self._metadata

    def describe(self, attributes: Sequence[Attribute]) -> ResultMetaData:
        """Return the names and conversions of the result's columns, from asyncpg's description.

        They are kept, except those of textual SQL, which may change, as for `SELECT *`.
        """
        compiled = self._compiled
        # SQLAlchemy adds `RETURNING id` to an INSERT, which is not part of the result.
        if not attributes or (compiled.isinsert and compiled.implicit_returning):
            if not compiled.isplaintext:
                self._metadata = NO_ROWS
            return NO_ROWS
        context = _Context(self._statement, compiled)
        metadata = compiled._cached_metadata
        if metadata is None:
            description: Any = [(item.name, item.type.oid, *[None] * 5) for item in attributes]
            parent: Any = SimpleNamespace(context=context)
            metadata = CursorResultMetaData(parent, description)
            if not metadata._safe_for_cache:
                return metadata
            compiled._cached_metadata = metadata
        # Also by the columns of this statement, which may not be the one that was compiled.
        adapted: ResultMetaData = metadata._adapt_to_context(context)
        self._metadata = adapted
        return adapted


class _Context(PGExecutionContext_asyncpg):
    """The part of SQLAlchemy's execution context that adds defaults and describes a result."""

    def __init__(self, statement: Any, compiled: Any) -> None:
        self.dialect = DIALECT
        self.compiled = compiled
        self.invoked_statement = statement
        self.result_column_struct = (
            compiled._result_columns,
            compiled._ordered_columns,
            compiled._textual_ordered_columns,
            compiled._ad_hoc_textual,
            compiled._loose_column_name_matching,
        )

    def add_defaults(self, parameters: dict[str, Any]) -> None:
        """Add the Python defaults of columns that get no value."""
        self.compiled_parameters = [parameters]
        self._process_execute_defaults()  # type: ignore[no-untyped-call]


_executed_before: WeakSet[Executable] = WeakSet()
_compile_once = lru_cache(maxsize=_CACHE_SIZE)(CompiledStatement)


def compile_statement(statement: Executable, names: tuple[str, ...]) -> CompiledStatement:
    """Return the compiled form of a statement for values with these names.

    From its second execution on, a statement is found by its identity. This does not keep
    statements that are built for each call, with their values, in memory.
    """
    if statement in _executed_before:
        return _compile_once(statement, names)
    _executed_before.add(statement)
    return CompiledStatement(statement, names)
