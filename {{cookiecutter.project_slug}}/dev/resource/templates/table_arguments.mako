<%page args="opening='', closing=''"/>\
<%!
def sort_indexes(r):
    """Return the columns of the indexes that serve the sorts."""
    owner = ("owner_id",) if r.is_owned else ()
    return [(*owner, column, "id") for column in r.sorts] or [(*owner, "id")] * r.is_owned

def indexes(r):
    """Return the columns of all indexes, also of those that serve the filters and foreign keys."""
    owner = ("owner_id",) if r.is_owned else ()
    found = sort_indexes(r)
    for f in r.fields:
        kinds = {each.kind for each in f.filters}
        if kinds == {"is"} and "unique" not in f.words:
            # The rows of an owned parent have the same owner.
            scope = () if f.parent and f.parent.is_owned else owner
            found.append((*scope, f.column, *r.sorts[:1], "id"))
        elif kinds - {"is"}:
            found.append((*owner, f.column, "id"))
        is_served = f.column in {columns[0] for columns in found} or ("unique" in f.words and not owner)
        if not is_served and ("index" in f.words or f.type == "ref"):
            found.append((f.column,))
    return [*dict.fromkeys(found)]

def index(r, columns):
    names = ", ".join(f'"{name}"' for name in columns)
    gin = {f.column for f in r.fields if f.is_list or f.type == "json"}
    using = ', postgresql_using="gin"' if columns[0] in gin else ""
    return f'Index("ix_{r.plural}_{"_".join(columns)}", {names}{using}),'
%>\
<%
texts = [f for f in fields if f.column in r.search]
searched = " || ' ' || ".join(
    f"COALESCE({f.column}, '')" if f.is_optional else f.column for f in texts
)
unique = [f.column for f in fields if "unique" in f.words and r.is_owned]
enums = [f for f in fields if f.is_list and f.values]
filters = [columns for columns in indexes(r) if columns not in sort_indexes(r)]
%>\
% if searched or unique or enums or indexes(r):
${opening}
% if searched:
        search_column("${searched}"),
        Index("ix_${r.plural}_search_vector", "search_vector", postgresql_using="gin"),
% endif
% for f in enums:
        CheckConstraint("${f.column} <@ ARRAY${f.values}::varchar[]", name="${f.column}"),
% endfor
% for column in unique:
        UniqueConstraint("owner_id", "${column}"),
% endfor
% if r.sorts:
        # Serve the sorts of the list, in both directions.
% elif sort_indexes(r):
        # Serves the list of one owner's ${r.labels}, newest first.
% endif
% for columns in sort_indexes(r):
        ${index(r, columns)}
% endfor
% if filters:
        # Serve${"s" * (len(filters) == 1)} the filters of the list${", and the foreign keys" if r.references else ""}.
% endif
% for columns in filters:
        ${index(r, columns)}
% endfor
${closing}
% endif
