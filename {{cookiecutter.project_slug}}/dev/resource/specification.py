"""The description of a new resource, as the templates and the validation use it."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

ACTIONS = ("list", "get", "create", "update", "delete")
DELETIONS = {"cascade": ', ondelete="CASCADE"', "null": ', ondelete="SET NULL"', "restrict": ""}
TEXTS, TIMES = {"str", "text", "email"}, {"date", "datetime"}
#: The types of fields, whose attributes `types.toml` describes.
TYPES = tomllib.loads(Path(__file__).with_name("types.toml").read_text("utf-8"))


class Parent(NamedTuple):
    """A resource that others can refer to. `key_type` is `UUID` or `int`."""

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
        self.rules = TYPES.get(self.type, {}) | (TYPES["list"] if self.is_list else {})
        pattern = self.rules.get("argument", "(?!)")
        self.argument = words.pop(0) if words and re.fullmatch(pattern, words[0], re.ASCII) else ""
        #: The modifiers, and what happens to a row when the row that it refers to is deleted.
        self.words = [word.partition("=")[0] for word in words]
        self.default = next((word[8:] for word in words if word.startswith("default=")), None)
        self.is_optional = "optional" in self.words
        self.on_delete = "".join(DELETIONS.get(word, "") for word in self.words)
        self.parent = parents.get(self.argument) if self.type == "ref" else None
        self.key_type = self.parent.key_type if self.parent else "UUID"
        #: The name of the column, and of the field in requests and responses.
        self.column = f"{self.name}_id" if self.type == "ref" else self.name
        self.class_name = to_class_name(self.name)
        self.label = self.name.replace("_", " ")
        self.a_label = with_article(self.label)
        self.values = self.argument.split(",") if self.type == "enum" else []
        self.choices = "|".join(self.values)
        self.length = int(self.argument) if self.argument.isdecimal() else 254
        #: The number of digits of a decimal, of those before and of those after the point.
        digits = self.argument.split(".") if self.type == "decimal" and self.argument else [1, 0]
        self.precision, self.scale = map(int, digits)
        self.whole = self.precision - self.scale
        self.is_sorted = not self.is_list and ("sort" in self.words or self.type in TIMES)
        self.filters = [] if self.is_list else self._filters()

    def _filters(self) -> list[Filter]:
        if self.type in TIMES:
            return [Filter(f"{self.column}_{kind}", kind, self) for kind in ("after", "before")]
        if "filter" in self.words and self.type in {"int", "bigint", "decimal", "float"}:
            return [Filter(f"{kind}_{self.column}", kind, self) for kind in ("min", "max")]
        is_filter = self.type in {"bool", "enum", "ref"} or "filter" in self.words
        return [Filter(self.column, "is", self)] if is_filter else []


@dataclass
class Resource:
    """A new resource. Names of several words are in snake_case."""

    singular: str
    plural: str
    fields: Sequence[Field]
    is_owned: bool = False
    search: Sequence[str] = ()
    actions: Sequence[str] = ACTIONS

    def __post_init__(self) -> None:
        self.class_name = to_class_name(self.singular)
        self.label, self.labels = self.singular.replace("_", " "), self.plural.replace("_", " ")
        self.a_label = with_article(self.label)
        #: The last part of the path of the list.
        self.path = self.plural.replace("_", "-")
        self.references = [field for field in self.fields if field.type == "ref"]
        parents = [self.plural, *(field.argument for field in self.references)]
        #: The references with a nested list: not those to itself, or of several to one resource.
        self.nested = [field for field in self.references if parents.count(field.argument) == 1]
        self.filters = [each for field in self.fields for each in field.filters]
        columns = [field.column for field in self.fields if field.is_sorted]
        #: The columns by which the list can be sorted, if there are any.
        self.sorts = ["created_at", *columns] if columns else []
        self.writes = not {"create", "update", "delete"}.isdisjoint(self.actions)

    def names(self, field: Field) -> dict[str, object]:
        """Return the names that the types of a field may contain, and their values."""
        # The schemas of the resource have the other names.
        suffix = "Value" if field.class_name in {"Create", "Read", "Update"} else ""
        return vars(field) | {"enum": f"{self.class_name}{field.class_name}{suffix}"}


def to_class_name(name: str) -> str:
    """Return a name in CamelCase."""
    return "".join(word.capitalize() for word in name.split("_"))


def with_article(label: str) -> str:
    """Return a noun with its indefinite article."""
    has_vowel = re.match(r"(?!eu|one\b)[aeio]|u(?!ni|s[ae]|ui)|hour|hono|hones|heir", label)
    return f"an {label}" if has_vowel else f"a {label}"


def pluralize(name: str) -> str:
    """Return the plural of a regular noun, and any other word as it is."""
    if re.search(r"[^siu]s$|(?:^|_)(data|media|money|series|sheep|software|staff)$", name):
        return name
    name = re.sub("(?<=[^aeiou])y$", "ie", name)
    return f"{name}es" if re.search("(s|x|z|ch|sh)$", name) else f"{name}s"
