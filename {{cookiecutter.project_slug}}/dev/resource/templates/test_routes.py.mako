<%!
from decimal import Decimal

from dev.resource.specification import TIMES

def number(f, n):
    """Return a decimal number with one significant digit."""
    return f"{Decimal(n) if f.whole else Decimal(n).scaleb(-f.scale):.{f.scale}f}"

def value(f, n):
    """Return the source of the nth value of a field. The values are in ascending order."""
    label = f"{f.label} {n}"
    item = {
        "str": repr(label if len(label) <= f.length else str(n)),
        "text": repr(label if len(label) <= f.length else str(n)),
        "email": f'"{n}@example.com"', "int": n, "bigint": n, "float": n + 0.5,
        "decimal": f'"{number(f, n)}"', "bool": n > 1, "date": f'"2030-01-0{n}"',
        "datetime": f'"2030-01-0{n}T12:00:00Z"', "json": repr({"key": n}),
        "uuid": f'"00000000-0000-4000-8000-00000000000{n}"', "ref": f"{f.column}s[{n - 1}]",
        "enum": '"' + sorted(f.values)[min(n, len(f.values)) - 1] + '"' if f.values else "",
    }[f.type]
    return f"[{item}]" if f.is_list else str(item)

def longest(f):
    item = {
        "str": f'"x" * {f.length}', "text": f'"x" * {f.length}',
        "decimal": repr(f"{(10**f.precision - 1) * Decimal(10) ** -f.scale:f}"),
    }.get(f.type)
    if f.is_list:
        return f"[{item}] * 100" if item else f"{value(f, 1)} * 100"
    return item

def default(f):
    if f.default is None:
        return "None"
    if f.type == "decimal" and not f.is_list:
        return repr(f"{Decimal(f.default):.{f.scale}f}")
    special = {"true": "True", "false": "False", "empty": "[]" if f.is_list else "{}"}
    numbers = {"int", "bigint", "float"}
    if f.type in {"str", "text"} and not f.is_list:
        return repr(f.default)
    return special.get(f.default, f.default if f.type in numbers else repr(f.default))

def is_time(f):
    return f.type in TIMES and f.default is not None

def insert(r, body):
    scope = "owner_id=owner_id, " if r.is_owned else ""
    return f'await insert_row(app, "{r.plural}", {scope}**{body})'

def invalid(f):
    """Yield the sources of invalid values of a field."""
    values = {
        "str": ['""', f'"x" * {f.length + 1}', r'"\0"', "1"],
        "text": ['""', f'"x" * {f.length + 1}', r'"\0"', "1"],
        "email": ['"x"', r'"x@\0"', '"x@" + "x" * 253', "1"],
        "int": ["2**31", "-(2**31) - 1", "1.5", '"1"', "True"],
        "bigint": ["2**63", "-(2**63) - 1", "1.5", '"1"', "True"],
        "float": ['"1.5"', "True"], "bool": ['"true"', "1"],
        "decimal": [f'"{number(f, 1)}{"" if f.scale else "."}1"', f'"1{"0" * f.whole}"', '"NaN"', '"x"'],
        "date": ['"2030-02-30"', '"2030-01-01T12:00:00Z"', "1"],
        "datetime": ['"2030-01-01T12:00:00"', '"2030-01-01"', "1"],
        "uuid": ['"x"', "1"], "json": ["[]", '"x"', '{"key": "x" * 10_001}', r'{"key": "\0"}'],
        "enum": ['"unknown"', "1"], "ref": ['"x"'],
    }[f.type]
    if f.is_list:
        values = [f"[{item}]" for item in values] + [f"{value(f, 1)} * 101", '"x"']
    yield from values

def lists(r, selfs):
    """Yield queries, and the positions of the rows that they list."""
    yield "{}", [0, 2, 1]
    for column in [name for name in r.sorts[1:] if name not in {f.column for f in selfs}]:
        yield repr({"sort": column}), [0, 1, 2]
        yield repr({"sort": f"-{column}"}), [2, 1, 0]
    if r.sorts:
        yield '{"sort": "created_at"}', [1, 2, 0]
    for each in r.filters:
        f = each.field
        if f.type == "ref":
            continue
        found = {"after": (1, [2, 1]), "before": (3, [0, 1]), "min": (2, [2, 1]), "max": (2, [0, 1])}
        n, positions = found.get(each.kind, (1, [0]))
        yield '{"' + f'{each.name}": {value(f, n)}' + "}", positions
        if f.type == "bool" or len(f.values) == 2:
            yield '{"' + f'{each.name}": {value(f, 2)}' + "}", [2, 1]
%>\
<%
url = r.plural.upper()
order = "by default newest first" if r.sorts else "newest first"
has = {*r.actions}.__contains__
owner = "owner_id: UUID, " if r.is_owned else ""
# References to a row of the same table, which are null in the bodies, and those to other tables.
selfs = [f for f in r.references if f.argument == r.plural]
parents = [f for f in r.references if f not in selfs]
optional = [f for f in fields if f.is_optional]
required = [f for f in fields if f not in optional and f.default is None]
unique = [f for f in fields if "unique" in f.words and f not in selfs]
shared = [f for f in unique if not (f.parent and f.parent.is_owned)]
optional_texts = [f for f in optional if f.column in r.search]
owned = [f for f in parents if f.parent.is_owned]
bounded = [f for f in fields if f.is_list or f.type in {"str", "text", "decimal"}]
actions = {"GET": "get", "PATCH": "update", "DELETE": "delete"}
own_methods = [method for method, action in actions.items() if has(action)]
methods = own_methods
needs_rows = own_methods or has("list") or any(f.is_list and f.values for f in fields)
needs_unknown_id = has("create") or has("get") or r.references or (r.is_owned and own_methods)
%>\
"""Routes of ${r.labels}."""

from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient, Response
from sqlalchemy import text

from app.db import Database
from app.errors import StillReferencedError, UnprocessableError
% if r.is_owned:
<%include file="owner_test_import.mako"/>\
% endif
from tests.rows import delete_row, insert_row

${url} = "/api/v1/${r.path}"
% if needs_unknown_id:
UNKNOWN_ID = "00000000-0000-0000-0000-000000000000"
% endif

% if r.is_owned:

@pytest.fixture(autouse=True)
async def owner_id(app: FastAPI, client: AsyncClient) -> UUID:
    """Authenticate the client as a new user, and return the ID of the user."""
    return await authenticate(app, client)
% endif

@pytest.fixture
${"async " if parents else ""}def bodies(${"app: FastAPI" if parents else ""}${", owner_id: UUID" if owned else ""}) -> list[dict[str, Any]]:
    """Return the bodies of three new ${r.labels}, whose values are in ascending order."""
% for f in parents:
<%
    parent = f'await insert_row(app, "{f.argument}"' + (", owner_id=owner_id)" if f.parent.is_owned else ")")
    parent = f"str({parent})" if f.key_type == "UUID" else parent
%>\
    ${f.column}s = [${parent} for _ in range(3)]
% endfor
    return [
% for n in (1, 2, 3):
        {${", ".join(f'"{f.column}": {None if f in selfs else value(f, n)}' for f in fields)}},
% endfor
    ]
% if needs_rows:


@pytest.fixture
async def ids(app: FastAPI, bodies: list[dict[str, Any]]${", owner_id: UUID" if r.is_owned else ""}) -> list[str]:
    """Insert the ${r.labels}, the first one last; return their IDs in the given order."""
    second, third, first = [
        str(${insert(r, "body")}) for body in [*bodies[1:], bodies[0]]
    ]
    return [first, second, third]
% endif
% if has("list"):


async def list_positions(
    client: AsyncClient, ids: list[str], path: str = ${url}, /, **query: Any
) -> list[int]:
    """Return the positions in `ids` of the listed ${r.labels}."""
    response = await client.get(path, params=query or None)
    assert response.status_code == 200, response.text
    return [ids.index(item["id"]) for item in response.json()]


async def test_empty_list(client: AsyncClient) -> None:
    response = await client.get(${url})
    assert (response.status_code, response.json()) == (200, [])
% if r.sorts or r.filters:


@pytest.mark.parametrize(
    ("query", "positions"),
    [
% for query, positions in lists(r, selfs):
        (${query}, ${positions}),
% endfor
    ],
)
async def test_list_is_sorted_and_filtered(
    client: AsyncClient, ids: list[str], query: dict[str, Any], positions: list[int]
) -> None:
    assert await list_positions(client, ids, **query) == positions
% endif


async def test_links_lead_from_newest_to_oldest(client: AsyncClient, ids: list[str]) -> None:
    response = await client.get(${url}, params={"limit": 2})
    next_page = response.links["next"]["url"]
    assert [item["id"] for item in response.json()] == [ids[0], ids[2]]
    assert await list_positions(client, ids, next_page) == [1]
    assert not (await client.get(next_page)).links
% for f in r.nested:


async def test_${r.plural}_of_${f.name}_are_listed(
    app: FastAPI, client: AsyncClient, ${owner}bodies: list[dict[str, Any]]
) -> None:
<% positions = [0] if f in unique else [1, 0] %>\
    nested = "/api/v1/${f.argument.replace("_", "-")}/{}/${r.path}"
    key = bodies[0]["${f.column}"]
% if f not in unique:
    bodies[1]["${f.column}"] = key
% endif
    ids = [str(${insert(r, "body")}) for body in bodies]
    assert await list_positions(client, ids, nested.format(key)) == ${positions}
    assert await list_positions(client, ids, ${f.column}=key) == ${positions}
    empty = await insert_row(app, "${f.argument}"${", owner_id=owner_id" if f.parent.is_owned else ""})
    assert await list_positions(client, ids, nested.format(empty)) == []
    assert (await client.get(nested.format(${"UNKNOWN_ID" if f.key_type == "UUID" else "2**62"}))).status_code == 404
% endfor
% for f in parents:
% if f not in r.nested:


async def test_${r.plural}_are_filtered_by_${f.name}(
    client: AsyncClient, bodies: list[dict[str, Any]], ids: list[str]
) -> None:
    assert await list_positions(client, ids, ${f.column}=bodies[0]["${f.column}"]) == [0]
% endif
% endfor
% if r.search:


@pytest.mark.parametrize(
    ("field", "word"),
    [${", ".join(f'("{f.column}", "{"whale"[:f.length]}")' for f in fields if f.column in r.search)}],
)
async def test_search_finds_words(
    app: FastAPI, client: AsyncClient, ${owner}bodies: list[dict[str, Any]], field: str, word: str
) -> None:
% if optional_texts:
    # The other texts may be missing.
    bodies[0] |= {${", ".join(f'"{f.column}": None' for f in optional_texts)}}
% endif
    bodies[0][field] = word
    found, *_ = [
        str(${insert(r, "body")}) for body in bodies
    ]
    response = await client.get(${url}, params={"q": word})
    assert [item["id"] for item in response.json()] == [found]
% endif
% endif
% if has("create"):


async def test_create_returns_${r.singular}_and_its_location(
    client: AsyncClient, bodies: list[dict[str, Any]]
) -> None:
    response = await client.post(${url}, json=bodies[0])
    ${r.singular} = response.json()
    assert response.status_code == 201, response.text
    assert response.headers["Location"] == f"{${url}}/{${r.singular}['id']}"
    assert ${r.singular}.items() >= bodies[0].items()
    assert ${r.singular}["created_at"].endswith("Z")
% if has("get"):
    assert (await client.get(response.headers["Location"])).json() == ${r.singular}
% endif
% if has("list"):
    assert (await client.get(${url})).json() == [${r.singular}]
% endif
% if any(f.default is not None for f in fields):
    # Some values of the first body may be defaults.
    for body in bodies[1:]:
        assert (await client.post(${url}, json=body)).json().items() >= body.items()
% endif


@pytest.mark.parametrize(
    ("field", "value"),
    [
% for f in fields:
% for source in invalid(f):
        ("${f.column}", ${source}),
% endfor
% endfor
        ("id", UNKNOWN_ID),
    ],
)
async def test_invalid_field_is_rejected(
    client: AsyncClient, bodies: list[dict[str, Any]], field: str, value: object
) -> None:
    response = await client.post(${url}, json={**bodies[0], field: value})
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"][:2] == ["body", field]
% if required:


@pytest.mark.parametrize("field", [${", ".join(f'"{f.column}"' for f in required)}])
async def test_required_field_is_neither_omitted_nor_null(
    client: AsyncClient, bodies: list[dict[str, Any]], field: str
) -> None:
    omitted = {name: value for name, value in bodies[0].items() if name != field}
    for body in (omitted, {**omitted, field: None}):
        response = await client.post(${url}, json=body)
        assert response.status_code == 422
        assert response.json()["errors"][0]["loc"] == ["body", field]
% endif
% if optional or any(f.default is not None for f in fields):


async def test_omitted_fields_have_defaults(
    client: AsyncClient${", bodies: list[dict[str, Any]]" if required else ""}
) -> None:
% if required:
    body = {name: bodies[0][name] for name in (${"".join(f'"{f.column}", ' for f in required)})}
    response = await client.post(${url}, json=body)
% else:
    response = await client.post(${url}, json={})
% endif
    assert response.status_code == 201, response.text
% if [f for f in fields if f not in required and not is_time(f)]:
    defaults: dict[str, Any] = {${", ".join(f'"{f.column}": {default(f)}' for f in fields if f not in required and not is_time(f))}}
    assert response.json().items() >= defaults.items()
% endif
% for f in fields:
% if is_time(f):
    assert response.json()["${f.column}"] is not None
% endif
% endfor
% endif
% if bounded:


async def test_longest_values_are_stored(client: AsyncClient, bodies: list[dict[str, Any]]) -> None:
    longest = {${", ".join(f'"{f.column}": ' + longest(f) for f in bounded)}}
    response = await client.post(${url}, json={**bodies[0], **longest})
    assert response.status_code == 201, response.text
    assert response.json().items() >= longest.items()
% endif
% endif
% if unique and (has("create") or has("update")):


def assert_already_exists(response: Response, field: str) -> None:
    assert response.status_code == 409
    assert response.json()["field"] == field
    assert response.json()["type"] == "/problems/already-exists"


@pytest.mark.parametrize("field", [${", ".join(f'"{f.column}"' for f in unique)}])
async def test_duplicate_value_is_409(
    ${"app: FastAPI, " if has("create") else ""}client: AsyncClient, ${owner if has("create") else ""}bodies: list[dict[str, Any]], ${"" if has("create") else "ids: list[str], "}field: str
) -> None:
% if has("create"):
    ${insert(r, "bodies[0]")}
    body = {**bodies[1], field: bodies[0][field]}
    assert_already_exists(await client.post(${url}, json=body), field)
% endif
% if has("update"):
% if has("create"):
    key = ${insert(r, "bodies[2]")}
% else:
    key = ids[1]
% endif
    change = await client.patch(f"{${url}}/{key}", json={field: bodies[0][field]})
    assert_already_exists(change, field)
% endif
% endif
% if r.references and (has("create") or has("update")):


def assert_reference_not_found(response: Response, field: str) -> None:
    assert response.status_code == 409
    assert response.json()["field"] == field
    assert response.json()["type"] == "/problems/reference-not-found"
% for f in r.references:
% for of_other_user in [False, True][: 2 if f.parent.is_owned else 1]:
<% needs_app = of_other_user or has("update") %>\


async def test_${f.name}_${"of_another_user" if of_other_user else "that_does_not_exist"}_is_409(
    ${"app: FastAPI, " if needs_app else ""}client: AsyncClient, ${owner if has("update") else ""}bodies: list[dict[str, Any]]
) -> None:
% if of_other_user:
    key = ${f'str(await insert_row(app, "{f.argument}"))' if f.key_type == "UUID" else f'await insert_row(app, "{f.argument}")'}
    change = {"${f.column}": key}
% else:
    change = {"${f.column}": ${"UNKNOWN_ID" if f.key_type == "UUID" else "2**62"}}
% endif
% if has("create"):
    response = await client.post(${url}, json={**bodies[0], **change})
    assert_reference_not_found(response, "${f.column}")
% endif
% if has("update"):
    target = f"{${url}}/{${insert(r, "bodies[0]")}}"
    assert_reference_not_found(await client.patch(target, json=change), "${f.column}")
% endif
% endfor
% endfor
% endif
% if has("get"):


async def test_get_returns_${r.singular}(
    client: AsyncClient, bodies: list[dict[str, Any]], ids: list[str]
) -> None:
    response = await client.get(f"{${url}}/{ids[1]}")
    assert response.status_code == 200
    assert response.json().items() >= {"id": ids[1], **bodies[1]}.items()
    assert (await client.get(f"{${url}}/{UNKNOWN_ID}")).status_code == 404
% endif
% if has("update"):


async def test_update_keeps_omitted_fields(
    ${"app: FastAPI, " if unique else ""}client: AsyncClient, ${owner if unique else ""}bodies: list[dict[str, Any]]${"" if unique else ", ids: list[str]"}
) -> None:
    target = f"{${url}}/{${insert(r, "bodies[0]") if unique else "ids[0]"}}"
    expected = (await client.patch(target, json={})).json()
    assert expected.items() >= bodies[0].items()
    for field, value in bodies[1].items():
        response = await client.patch(target, json={field: value})
        expected[field] = value
        assert (response.status_code, response.json()) == (200, expected)
% if has("get"):
    assert (await client.get(target)).json() == expected
% endif


% for f in fields:
% if f.values:
@pytest.mark.parametrize("value", [${", ".join(f'"{value}"' for value in f.values)}])
async def test_every_value_of_${f.name}_is_stored(client: AsyncClient, ids: list[str], value: str) -> None:
    response = await client.patch(f"{${url}}/{ids[0]}", json={"${f.column}": ${"[value]" if f.is_list else "value"}})
    assert (response.status_code, response.json()["${f.column}"]) == (200, ${"[value]" if f.is_list else "value"})


% endif
% endfor
@pytest.mark.parametrize(
    ("field", "is_optional"),
    [${", ".join(f'("{f.column}", {f in optional})' for f in fields)}],
)
async def test_only_optional_field_can_be_null(
    client: AsyncClient, ids: list[str], field: str, is_optional: bool
) -> None:
    response = await client.patch(f"{${url}}/{ids[0]}", json={field: None})
    assert response.status_code == (200 if is_optional else 422)
    if is_optional:
        assert response.json()[field] is None
    else:
        assert response.json()["errors"][0]["loc"] == ["body", field]
% if not has("create"):


@pytest.mark.parametrize(
    ("field", "value"),
    [
% for f in fields:
% for source in invalid(f):
        ("${f.column}", ${source}),
% endfor
% endfor
    ],
)
async def test_invalid_field_is_rejected(
    client: AsyncClient, ids: list[str], field: str, value: object
) -> None:
    response = await client.patch(f"{${url}}/{ids[0]}", json={field: value})
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"][:2] == ["body", field]
% endif
% endif
% if has("delete"):


async def test_deleted_${r.singular}_is_404(client: AsyncClient, ids: list[str]) -> None:
    target = f"{${url}}/{ids[0]}"
    response = await client.delete(target)
    assert (response.status_code, response.content) == (204, b"")
    for method in (${"".join(f'"{method}", ' for method in methods)}):
        assert (await client.request(method, target, json={})).status_code == 404
% if has("list"):
    assert await list_positions(client, ids) == [2, 1]
% endif
% endif
% for f in parents:
% if has("list"):
<% verb = "deleted" if "cascade" in f.words else "kept" if "null" in f.words else "required" %>\


async def test_${f"{f.name}_with_{r.plural}_cannot_be_deleted" if verb == "required" else f"{r.plural}_of_deleted_{f.name}_are_{verb}"}(
    app: FastAPI, client: AsyncClient, bodies: list[dict[str, Any]], ids: list[str]
) -> None:
% if verb == "required":
    with pytest.raises(StillReferencedError):
        await delete_row(app, "${f.argument}", bodies[0]["${f.column}"])
    assert await list_positions(client, ids) == [0, 2, 1]
% elif verb == "deleted":
    await delete_row(app, "${f.argument}", bodies[0]["${f.column}"])
    assert await list_positions(client, ids) == [2, 1]
% else:
    await delete_row(app, "${f.argument}", bodies[0]["${f.column}"])
    ${f.column}s = {item["id"]: item["${f.column}"] for item in (await client.get(${url})).json()}
    assert [${f.column}s[key] for key in ids] == [None, *(body["${f.column}"] for body in bodies[1:])]
% endif
% endif
% endfor
% for f in selfs:
% if has("create") or has("update"):


async def test_${f.name}_is_another_${r.singular}(
    app: FastAPI, client: AsyncClient, ${owner}bodies: list[dict[str, Any]]
) -> None:
    change = {"${f.column}": str(${insert(r, "bodies[2]")})}
% if has("create"):
    response = await client.post(${url}, json={**bodies[0], **change})
    assert response.status_code == 201, response.text
    assert response.json().items() >= change.items()
% endif
% if has("update"):
    target = f"{${url}}/{${insert(r, "bodies[1]")}}"
    response = await client.patch(target, json=change)
% if "unique" in f.words and has("create"):
    assert (response.status_code, response.json()["field"]) == (409, "${f.column}")
% else:
    assert (response.status_code, response.json()["${f.column}"]) == (200, change["${f.column}"])
% endif
% endif
% endif
% if has("list"):
<% verb = "deleted" if "cascade" in f.words else "kept" if "null" in f.words else "required" %>\


async def test_${f"{f.name}_with_{r.plural}_cannot_be_deleted" if verb == "required" else f"{r.plural}_of_deleted_{f.name}_are_{verb}"}(
    app: FastAPI, client: AsyncClient, ${owner}bodies: list[dict[str, Any]]
) -> None:
    key = str(${insert(r, "bodies[0]")})
    bodies[1]["${f.column}"] = key
    ids = [key, str(${insert(r, "bodies[1]")})]
    assert await list_positions(client, ids, ${f.column}=key) == [1]
% if verb == "required":
    with pytest.raises(StillReferencedError):
        await delete_row(app, "${r.plural}", key)
    assert await list_positions(client, ids) == [1, 0]
% if has("delete"):
    response = await client.delete(f"{${url}}/{key}")
    assert response.status_code == 409
    assert response.json()["type"] == "/problems/still-referenced"
% endif
% elif verb == "deleted":
    await delete_row(app, "${r.plural}", key)
    assert await list_positions(client, ids) == []
% else:
    await delete_row(app, "${r.plural}", key)
    [child] = (await client.get(${url})).json()
    assert (child["id"], child["${f.column}"]) == (ids[1], None)
% endif
% endif
% endfor
% for f in fields:
% if f.is_list and f.values:


@pytest.mark.usefixtures("client", "ids")
async def test_unknown_${f.name}_violate_a_constraint(app: FastAPI) -> None:
    database: Database = app.state.database
    with pytest.raises(UnprocessableError):
        async with database.transaction() as transaction:
            await transaction.execute(text("UPDATE ${r.plural} SET ${f.column} = '{unknown}'"))
% endif
% endfor
% if r.is_owned and (own_methods or has("list")):


async def test_${r.plural}_of_other_users_are_not_found(
    app: FastAPI, client: AsyncClient, ${"bodies: list[dict[str, Any]], " if shared or r.nested and has("list") else ""}ids: list[str]
) -> None:
    owner = client.headers["Authorization"]
    ${"other_id = " if shared else ""}await authenticate(app, client)
% if own_methods:
    for key in (ids[0], UNKNOWN_ID):
        for method in (${"".join(f'"{method}", ' for method in own_methods)}):
            response = await client.request(method, f"{${url}}/{key}", json={})
            assert (response.status_code, response.json()["detail"]) == (404, "Not found.")
% endif
% if has("list"):
    assert await list_positions(client, ids) == []
% for f in r.nested:
    nested = await client.get(f"/api/v1/${f.argument.replace("_", "-")}/{bodies[0]['${f.column}']}/${r.path}")
% if f.parent.is_owned:
    assert nested.status_code == 404
% else:
    assert nested.json() == []
% endif
% endfor
% endif
% if shared:
    # Another user may have the same values.
    shared = {name: bodies[0][name] for name in (${"".join(f'"{f.column}", ' for f in shared)})}
    await insert_row(app, "${r.plural}", owner_id=other_id, **shared)
% endif
    client.headers["Authorization"] = owner
% if has("list"):
    assert await list_positions(client, ids) == [0, 2, 1]
% endif
% endif
