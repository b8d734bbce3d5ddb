"""Fields of resources that are generated in tests, and the mistakes that the generator names."""

import itertools
from typing import NamedTuple


class Type(NamedTuple):
    """A type: arguments, each with a default value that fits, and the modifiers it excludes."""

    arguments: dict[str, str]
    excluded: str = ""


_WORDS, _EMPTY = {"20": "a", "1": "5", "500": "A_b.c+d@e-f"}, {"": "empty"}
_DECIMALS = {"5.2": "-0.50", "28.28": "0", "1.0": "5", "28.0": "1"}
TYPES = {
    "str": Type(_WORDS),
    "text": Type(_WORDS),
    "email": Type({"": "a.b+c@d.ef"}),
    "int": Type({"": "-5"}),
    "bigint": Type({"": "999999999999999999"}),
    "decimal": Type(_DECIMALS),
    "float": Type({"": "1.25"}, "sort unique"),
    "bool": Type({"": "true"}, "sort unique"),
    "date": Type({"": "today"}),
    "datetime": Type({"": "now"}),
    "uuid": Type({"": "00000000-0000-4000-8000-000000000000"}),
    "json": Type(_EMPTY, "filter sort unique"),
    "enum": Type({"on,off": "off", "a,b_1,C": "b_1"}, "unique"),
    # The generator names the resource to which it refers: see `resource_commands.py`.
    "ref": Type({"{parent}": ""}),
}
#: Lists of these types.
ITEMS = ["str", "text", "email", "int", "bigint", "decimal", "float", "bool", "date", "datetime"]
TYPES |= {
    f"list:{item}": Type(dict.fromkeys(TYPES[item].arguments, "empty"), "filter sort unique")
    for item in [*ITEMS, "uuid", "enum"]
}
DELETIONS = ["cascade", "null", "restrict"]
MODIFIERS = ["optional", "default", "filter", "index", "sort", "unique", *DELETIONS]

#: Valid names, many of which the generated modules use for something else.
NAMES = [
    *("name", "value", "body", "field", "target", "found", "expected", "path", "item", "client"),
    *("app", "router", "rows", "model", "query", "positions", "second", "owners", "ids", "links"),
    *("method", "nested", "empty", "word", "defaults", "longest", "statement", "columns", "scope"),
    *("bodies", "omitted", "a", "x_1", "url", "router_2", "response_body", "read", "plain_text"),
]
#: Singular and plural of the resources, in the order in which they are used.
NOUNS = dict(
    noun.split("/")
    for noun in (
        *("box/boxes", "category/categories", "person/people", "day/days", "bus/buses"),
        *("sheep/flock", "item/items", "order_line/order_lines", "address/addresses"),
        *("tiny_item/tiny_items", "red_card/red_cards", "blue_card/blue_cards", "yard/yards"),
        *("event/events", "crowd/crowds", "key/keys", "node/nodes", "place/places", "team/teams"),
        *("unit/units", "inch/inches", "story/stories", "quiz_game/quiz_games", "dish/dishes"),
        *("money_order/money_orders", "staff_member/staff_members"),
    )
)
ACTIONS = ["list", "get", "create", "update", "delete"]
_KNOWN = ", ".join([*(name for name in TYPES if ":" not in name), "list"])
#: Fields and options that are rejected, and the lines that name the mistake.
MISTAKES = {
    "wrong:strin": f"wrong: unknown type 'strin'; known: {_KNOWN}",
    "no_type": f"no_type: unknown type ''; known: {_KNOWN}",
    "no_length:str": "no_length: str needs an argument, such as str:50",
    "no_digits:decimal": "no_digits: decimal needs an argument, such as decimal:12.2",
    "zero:text:0": ("zero: text needs an argument, such as text:5000\nzero: unknown modifiers: 0"),
    "too_long:text:501:sort": "too_long: at most 500 characters",
    "scale:decimal:2.3": "scale: a decimal has 1 to 28 digits",
    "big:decimal:29.0": "big: a decimal has 1 to 28 digits",
    "one:enum:draft": (
        "one: enum needs an argument, such as enum:draft,sent\none: unknown modifiers: draft"
    ),
    "same:enum:a,a": "same: values that are repeated, keywords or methods: a",
    "bad:enum:lower,ok,class": "bad: values that are repeated, keywords or methods: class, lower",
    "buyer:ref:buyers": "buyer: unknown resource 'buyers'",
    "typo:str:20:uniqe:inde": "typo: unknown modifiers: inde, uniqe",
    "twice:int:sort:sort": "twice: a modifier is repeated",
    "nested_json:list:json": (
        "nested_json: a list of json is not supported: an object can contain lists"
    ),
    "many:int:default=many": "many: 'many' is not a possible default",
    "price:decimal:3.2:default=10": "price: '10' is not a possible default",
    "code:str:3:default=abcd": "code: 'abcd' is not a possible default",
    "state:enum:on,off:default=up": "state: 'up' is not a possible default",
    "yesterday:date:default=yesterday": "yesterday: 'yesterday' is not a possible default",
    "class:int": "class: a keyword of Python or SQL",
    "order:int": "order: a keyword of Python or SQL",
    "id:uuid": "id: the name is reserved",
    "owner:ref:customers": "owner: the name is reserved",
    "list:int": "list: the name is reserved",
    "values:int": "values: the name is reserved",
    "Upper:int": "'Upper': not lower-case words joined by underscores",
    "two__words:int": "'two__words': not lower-case words joined by underscores",
    "keyset:str:5:filter": "keyset: lists have such a parameter",
    "--only list,remove": f"--only: some of {', '.join(ACTIONS)}",
}


class Field(NamedTuple):
    """A field, without its name."""

    type: str
    argument: str
    words: tuple[str, ...]

    def text(self, name: str) -> str:
        """Return the argument of the generator."""
        default = f"default={TYPES[self.type].arguments.get(self.argument, '')}"
        words = [default if word == "default" else word for word in self.words]
        return ":".join(filter(None, [name, self.type, self.argument, *words]))

    def mistakes(self) -> set[str]:
        """Return the problems that the generator must name."""
        words, deletions = {*self.words}, {*self.words} & {*DELETIONS}
        excluded = sorted(words & {*TYPES[self.type].excluded.split()})
        unknown = sorted(deletions if self.type != "ref" else ())
        problems = {
            f"unknown modifiers: {', '.join(unknown)}": unknown,
            f"its type excludes {', '.join(excluded)}": excluded,
            "a modifier is repeated": len(self.words) > len(words) or len(deletions) > 1,
            "only an optional reference can become null": words >= {"null"} > words & {"optional"},
            "a unique field has no default": words >= {"unique", "default"},
            "'' is not a possible default": self.type == "ref" and "default" in words,
        }
        return {problem for problem, is_found in problems.items() if is_found}

    def pairs(self) -> set[frozenset[str]]:
        """Return the pairs of its type and modifiers."""
        return {*map(frozenset, itertools.combinations([self.type, *self.words], 2))}


def smallest_field(pair: frozenset[str]) -> Field:
    """Return a field with a pair of a type and a modifier, or of two modifiers: valid, if one is.

    A deletion rule can require a further modifier.
    """
    words = [word for word in MODIFIERS if word in pair]
    fields = [
        Field(name, next(iter(TYPES[name].arguments)), tuple(dict.fromkeys(modifiers)))
        for name in pair & TYPES.keys() or TYPES
        for modifiers in (words, ["optional", *words])
    ]
    return min(fields, key=lambda field: len(field.mistakes()))


_PAIRS = [*itertools.product(TYPES, MODIFIERS), *itertools.combinations(MODIFIERS, 2)]
#: Every pair of a type and a modifier, and of two modifiers, with a field that contains it.
PAIRS = {pair: smallest_field(pair) for pair in map(frozenset, _PAIRS)}
VALID_PAIRS = {pair for pair, field in PAIRS.items() if not field.mistakes()}


def covering_fields() -> list[Field]:
    """Return valid fields that contain every valid pair: with few modifiers, and with many."""
    bare = [Field(name, argument, ()) for name in TYPES for argument in TYPES[name].arguments]
    few = [field for pair, field in PAIRS.items() if pair in VALID_PAIRS and pair & TYPES.keys()]
    many, missing = [], {*VALID_PAIRS}
    for pair, field in PAIRS.items():
        if pair in missing:
            for word in MODIFIERS:
                more = field._replace(words=(*dict.fromkeys([*field.words, word]),))
                if not more.mistakes() and (more.pairs() - field.pairs()) & missing:
                    field = more
            missing -= field.pairs()
            many.append(field)
    return [*dict.fromkeys([*many, *few, *bare])]
