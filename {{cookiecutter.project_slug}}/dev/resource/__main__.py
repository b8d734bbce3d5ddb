"""The command line: `python -m dev.resource invoice number:str:20:unique`."""

import sys
from argparse import ArgumentParser

from alembic.util import CommandError

import app.db.models  # noqa: F401 - fills the metadata
from app.db import metadata
from dev import DevelopmentError
from dev.resource.files import STAGING, clear_staging, publish, render
from dev.resource.migration import write_migration
from dev.resource.specification import ACTIONS, Field, Parent, Resource, pluralize
from dev.resource.undo import undo
from dev.resource.validation import find_parents, find_problems


def main() -> None:
    """Generate or remove a resource.

    Raises `DevelopmentError` if that is not possible, and `CommandError` if the migrations do not
    agree with the models that exist.
    """
    parser = ArgumentParser("python -m dev.resource", description="Generate a resource.")
    add = parser.add_argument
    add("name", help="the singular, such as invoice_line")
    add("fields", nargs="*", help="name:type:modifiers, such as number:str:20:unique")
    add("--plural", help="the plural, if it is irregular")
    access = parser.add_mutually_exclusive_group().add_argument
    access("--owned", action="store_true", help="each row belongs to a user: default with users")
    access("--public", action="store_false", dest="owned", help="anyone can access all rows")
    parser.set_defaults(owned="users" in metadata.tables)
    add("--search", type=_split, default=(), help="texts of the full-text search: title,text")
    add("--only", type=_split, default=ACTIONS, help=f"some of {','.join(ACTIONS)}")
    add("--dry-run", action="store_true", help="print the files instead of writing them")
    add("--undo", action="store_true", help="remove the files, and downgrade the database")
    options = parser.parse_intermixed_args()
    plural = options.plural or pluralize(options.name)
    if options.undo:
        undo(plural)
        return
    parents = find_parents() | {plural: Parent("UUID", options.owned)}
    fields = [Field(text, parents) for text in options.fields]
    resource = Resource(options.name, plural, fields, options.owned, options.search, options.only)
    if problems := find_problems(resource):
        raise DevelopmentError("\n".join(problems))
    clear_staging()
    names = render(resource, STAGING)
    if options.dry_run:
        print(*(f"# {name}\n\n{(STAGING / name).read_text('utf-8')}" for name in names), sep="\n")
        clear_staging()
        return
    names.append(write_migration(plural, STAGING))
    publish(names)
    print(*names, sep="\n")
    if resource.writes and not resource.is_owned:
        print(f"Anyone who can reach the service can write {resource.labels}.")


def _split(text: str) -> list[str]:
    return text.split(",")


if __name__ == "__main__":
    try:
        main()
    except (CommandError, DevelopmentError) as error:
        sys.exit(str(error))
