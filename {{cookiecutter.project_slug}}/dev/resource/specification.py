"""The description of a new resource, as the templates and the validation use it."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

ACTIONS = ("list", "get", "create", "update", "delete")
TEXTS, TIMES = {"str", "text", "email"}, {"date", "datetime"}
NUMBERS = {"int", "bigint", "decimal", "float"}
# Types that the generated modules import, and that could have the name of a field.
_IMPORTED = {"Annotated", "Any", "Date", "Decimal", "Depends", "Email", "Field", "Integer", "Path"}
_IMPORTED |= {"Request", "Response", "Timestamp", "Uuid"}


class Type(NamedTuple):
    """A type: the patterns of its argument and of default values, and words that it excludes."""

    argument: str = ""
    default: str = "(?!)"
    excluded: str = ""


TYPES = {
    "str": Type(r"\d+", r"[\w.,@+-]+"),
    "text": Type(r"\d+", r"[\w.,@+-]+"),
    "email": Type("", r"[\w.+-]+@[\w.-]+"),
    "int": Type("", r"-?\d{1,9}"),
    "bigint": Type("", r"-?\d{1,18}"),
    "decimal": Type(r"\d+\.\d+", r"-?\d+(\.\d+)?"),
    "float": Type("", r"-?\d{1,15}(\.\d{1,15})?", "unique sort"),
    "bool": Type("", "true|false", "unique sort"),
    "date": Type("", "today"),
    "datetime": Type("", "now"),
    "uuid": Type("", "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "json": Type("", "empty", "unique sort filter"),
    "enum": Type("[A-Za-z0-9_]+(,[A-Za-z0-9_]+)*", r"\w+", "unique"),
    "ref": Type(r"\w+"),
    "list": Type("", "empty", "unique sort filter"),
}


class Parent(NamedTuple):
    """A resource that others can refer to; `model` is the name of its model or table."""

    model: str
    key_type: str
    is_owned: bool


class Filter(NamedTuple):
    """A filter of the list. `kind` is one of `is`, `after`, `before`, `min` and `max`."""

    name: str
    kind: str
    field: "Field"


class Field:
    """A field, from `name:type:argument:modifiers`. The type of a list is that of its items."""

    def __init__(self, text: str, parents: Mapping[str, Parent]) -> None:
        self.name, *words = text.split(":")
        self.is_list = words[:1] == ["list"]
        self.type, *words = words[self.is_list :] or [""]
        pattern = TYPES.get(self.type, Type()).argument
        has_argument = pattern and words and re.fullmatch(pattern, words[0])
        self.argument = words.pop(0) if has_argument else ""
        #: The modifiers, and what happens to a row when the row that it refers to is deleted.
        self.words = [word.partition("=")[0] for word in words]
        self.default = next((word[8:] for word in words if word.startswith("default=")), None)
        is_reference = self.type == "ref"
        self.parent = parents.get(self.argument) if is_reference else None
        self.key_type = self.parent.key_type if self.parent else "UUID"
        #: The name of the column, and of the field in requests and responses.
        self.column = f"{self.name}_id" if is_reference else self.name
        self.label = self.name.replace("_", " ")
        self.a_label = with_article(self.label)
        #: The names of its type in requests, and of an enum.
        self.alias = to_class_name(self.column)
        self.alias += "Value" if self.alias in _IMPORTED else ""
        self.class_name = to_class_name(self.name)
        self.values = self.argument.split(",") if self.type == "enum" else []
        self.length = int(self.argument) if self.argument.isdecimal() else 254
        #: The number of digits of a decimal, and of those after the point.
        self.digits = [int(part) for part in re.findall(r"\d+", self.argument)]
        self.digits = self.digits if self.type == "decimal" and self.argument else [1, 0]
        self.is_optional = "optional" in self.words
        self.is_sorted = not self.is_list and ("sort" in self.words or self.type in TIMES)
        self.filters = [] if self.is_list else self._filters()

    def _filters(self) -> list[Filter]:
        if self.type in TIMES:
            return [Filter(f"{self.column}_{kind}", kind, self) for kind in ("after", "before")]
        if self.type in NUMBERS and "filter" in self.words:
            return [Filter(f"{kind}_{self.column}", kind, self) for kind in ("min", "max")]
        is_filter = self.type in {"bool", "enum", "ref"} or "filter" in self.words
        return [Filter(self.column, "is", self)] if is_filter else []


class Resource:
    """A new resource. Names of several words are in snake_case."""

    is_owned = False
    search: Sequence[str] = ()
    actions: Sequence[str] = ACTIONS

    def __init__(self, singular: str, plural: str, fields: Sequence[Field]) -> None:
        self.singular, self.plural, self.fields = singular, plural, fields
        self.class_name = to_class_name(singular)
        self.label, self.labels = singular.replace("_", " "), plural.replace("_", " ")
        self.a_label = with_article(self.label)
        #: The last part of the path of the list.
        self.path = plural.replace("_", "-")
        self.references = [field for field in fields if field.type == "ref"]
        parents = [field.argument for field in self.references]
        #: The references with a nested list: not those of several to the same resource.
        self.nested = [field for field in self.references if parents.count(field.argument) == 1]
        self.filters = [each for field in fields for each in field.filters]
        columns = [field.column for field in fields if field.is_sorted]
        #: The columns by which the list can be sorted, if there are any.
        self.sorts = ["created_at", *columns] if columns else []

    @property
    def writes(self) -> bool:
        """True if any route writes."""
        return bool({"create", "update", "delete"} & {*self.actions})


def to_class_name(name: str) -> str:
    """Return a name in CamelCase."""
    return "".join(word.capitalize() for word in name.split("_"))


def with_article(label: str) -> str:
    """Return a noun with its indefinite article."""
    return f"an {label}" if re.match("[aeio]|u(?!ni|s[ae])", label) else f"a {label}"


def pluralize(name: str) -> str:
    """Return the plural of a regular noun, and any other word as it is."""
    if re.search(r"[^siu]s$|(?:^|_)(data|media|money|series|sheep|software|staff)$", name):
        return name
    if re.search("[^aeiou]y$", name):
        return f"{name[:-1]}ies"
    return f"{name}es" if re.search("(s|x|z|ch|sh)$", name) else f"{name}s"
