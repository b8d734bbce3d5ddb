<%
name = {"list": r.plural, "create": r.singular, "get": r.singular, "update": r.singular, "delete": r.singular}
status = {"list": 200, "create": 201, "get": 200, "update": 200, "delete": 204}
nested = r.nested if "list" in r.actions else []
# The examples of references are unknown.
conflict = ", 409" if r.references else ""
def rule(action):
    if not r.is_owned:
        return "anyone"
    return "users" if action in {"list", "create"} else "owner"
%>\
"""Access to ${r.labels}."""

from tests.auth.access_rules import anyone, owner, users

ROWS = {
    "${r.singular}_id": "${r.plural}",
% for f in nested:
    "${f.column}": "${f.argument}",
% endfor
}
ACCESS = {
% for action in r.actions:
    "${action}_${name[action]}": ${rule(action)}(${status[action]}${conflict if action in {"create", "update"} else ""}),
% endfor
% for f in nested:
    "list_${r.plural}_of_${f.name}": ${"owner" if f.parent.is_owned else rule("list")}(200),
% endfor
}
