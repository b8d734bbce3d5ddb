"""Bugs that generated tests must notice: replacements of text in the modules of a resource."""

import re

#: Generated in the project, the last one with the bugs. It has all that a resource can have.
COMMANDS = (
    "customer name:str:50:unique",
    "invoice number:str:20:unique:sort customer:ref:customers:cascade article:ref:articles:null"
    ":optional note:ref:notes due:date:default=today total:decimal:12.2:filter:sort"
    " status:enum:draft,sent:default=draft memo:text:500:optional tags:list:str:10:default=empty"
    " --search number,memo",
)

#: The first occurrence of a text, and what replaces it, by the name of the bug.
Mutations = dict[str, tuple[str, str]]

SCHEMAS: Mutations = {
    "longer text": ("max_length=20", "max_length=21"),
    "shorter text": ("max_length=500", "max_length=499"),
    "empty text": ("min_length=1", "min_length=0"),
    "NUL in text": ("Memo = Annotated[PlainText", "Memo = Annotated[str"),
    "more decimal places": ("decimal_places=2", "decimal_places=3"),
    "fewer digits": ("max_digits=12", "max_digits=11"),
    "more digits": ("max_digits=12", "max_digits=13"),
    "longer list": ("max_length=100", "max_length=101"),
    "shorter list": ("max_length=100", "max_length=99"),
    "longer item of a list": ("max_length=10,", "max_length=11,"),
    "required field with a default": ("    number: Number\n", '    number: Number = "1"\n'),
    "required field that is nullable": ("    total: Total\n", "    total: Total | None\n"),
    "default that is required": ("due: Due | MISSING = MISSING", "due: Due"),
    "optional field that is required": ("memo: Memo | None = None", "memo: Memo | None"),
    "null in an update": (
        "number: Number | MISSING = MISSING",
        "number: Number | MISSING | None = MISSING",
    ),
    "no null in an update": ("memo: Memo | MISSING | None", "memo: Memo | MISSING"),
    "field that cannot be updated": ("    tags: Tags | MISSING = MISSING\n\n\n", "\n\n"),
    "field that is not returned": ("    memo: str | None\n", ""),
    "number instead of a decimal": ("total: Decimal\n", "total: float\n"),
    "unknown fields": ("class InvoiceCreate(RequestBody)", "class InvoiceCreate(ResponseBody)"),
}

ROUTES: Mutations = {
    "status code of create": ("status_code=201", "status_code=200"),
    "status code of delete": ("status_code=204", "status_code=202"),
    "no location": ('response.headers["Location"] =', "_ ="),
    "wrong location": ("location_of(request.scope, invoice.id)", '"/api/v1/invoices"'),
    "wrong method": ("@router.patch(", "@router.put("),
    "list of nothing": ("await invoices.list(page)", "[]"),
    "reversed list": ("await invoices.list(page)", "(await invoices.list(page))[::-1]"),
    "no filters": ("page_params(InvoiceReader.rows)", "page_params(INVOICES_OF_CUSTOMER)"),
    "no next page": ("await invoices.list(page)", "(await invoices.list(page))[: page.limit]"),
    "nested list of all rows": (
        "invoices.list_of_customer(customer_id, page)",
        "invoices.list(page)",
    ),
    "nested list of another parent": ("list_of_article(article_id", "list_of_customer(article_id"),
    "fields of create": ("new_invoice.model_dump()", 'new_invoice.model_dump(exclude={"memo"})'),
    "default instead of a value": (
        "new_invoice.model_dump()",
        'new_invoice.model_dump(exclude={"status"})',
    ),
    "ignored changes": ("**changes.model_dump(exclude_unset=True)", ""),
    "omitted field that is overwritten": (
        "**changes.model_dump(",
        '**{"memo": None} | changes.model_dump(',
    ),
    "rows that are not deleted": ("await invoices.delete(", "await invoices.get("),
    "owner of the reader": (
        "InvoiceReader(database, user.id)",
        "InvoiceReader(database, UUID(int=1))",
    ),
    "owner of the writer": (
        "InvoiceWriter(transaction, user.id)",
        "InvoiceWriter(transaction, UUID(int=1))",
    ),
}

REPOSITORY: Mutations = {
    "reader of all owners": (
        'Invoice.owner_id == bindparam("owner_id")',
        'bindparam("owner_id", type_=Invoice.owner_id.type).is_not(None)',
    ),
    "writer of all owners": (
        "(transaction, owner_id=owner_id)\n",
        "(transaction, owner_id=owner_id)\n\n"
        "    def _row_condition(self, key):\n"
        "        return self._statements.table.c.id == key\n",
    ),
    "parent of another user": (
        'Customer.owner_id == bindparam("owner_id")',
        'bindparam("owner_id", type_=Invoice.owner_id.type).is_not(None)',
    ),
    "unchecked parent": ('raise ReferenceNotFoundError("customer_id")', "return"),
    "only one parent checked": (
        '        key = values.get("note_id")\n',
        '        return\n        key = values.get("note_id")\n',
    ),
    "dropped filter": ('            "status": Invoice.status,\n', ""),
    "filter on another column": (
        '"article_id": Invoice.article_id',
        '"article_id": Invoice.note_id',
    ),
    "inclusive filter after": ("Invoice.due > ", "Invoice.due >= "),
    "reversed filter before": ("Invoice.due < ", "Invoice.due > "),
    "exclusive minimum": ("Invoice.total >= ", "Invoice.total > "),
    "exclusive maximum": ("Invoice.total <= ", "Invoice.total < "),
    "reversed order": (
        'sorts=("-created_at", "created_at", ',
        'sorts=("created_at", "-created_at", ',
    ),
    "reversed order of a nested list": (
        'sorts=("-created_at", "created_at"),\n',
        'sorts=("created_at", "-created_at"),\n',
    ),
    "dropped sort": ('"due", "-due"', '"due"'),
    "no search": ("        search_vector=", "        # search_vector="),
    "other rows in a nested list": ("Invoice.article_id == ", "Invoice.article_id != "),
    "nested list of a missing parent": (
        "self.fetch_one(SELECT_CUSTOMER",
        "self.fetch_all(SELECT_CUSTOMER",
    ),
    "dropped column": ("    Invoice.memo,\n", ""),
}

#: `alembic check` notices what changes no behavior, except defaults and generated columns.
MODEL: Mutations = {
    "longer text": ("String(20)", "String(21)"),
    "longer item of a list": ("ARRAY(String(10))", "ARRAY(String(11))"),
    "fewer digits": ("Numeric(12, 2)", "Numeric(11, 2)"),
    "no decimal places": ("Numeric(12, 2)", "Numeric(12)"),
    "values used twice": ('UniqueConstraint("owner_id", "number"),', ""),
    "values used by other users": (
        'UniqueConstraint("owner_id", "number"),',
        'UniqueConstraint("number"),',
    ),
    "parent with rows cannot be deleted": ('"customers.id", ondelete="CASCADE"', '"customers.id"'),
    "optional parent cannot be deleted": ('"articles.id", ondelete="SET NULL"', '"articles.id"'),
    "deletes the rows of a required parent": ('"notes.id"', '"notes.id", ondelete="CASCADE"'),
    "another parent": ('"notes.id"', '"customers.id"'),
    "missing value of an enum": ('    sent = "sent"\n', ""),
    "further value of an enum": (
        '    sent = "sent"\n',
        '    sent = "sent"\n    unknown = "unknown"\n',
    ),
    "no index": ('Index("ix_invoices_owner_id_due_id", "owner_id", "due", "id"),', ""),
}

MIGRATION: Mutations = {
    "values used twice": (
        'sa.UniqueConstraint("owner_id", "number",',
        'sa.CheckConstraint("true",',
    ),
    "values used by other users": (
        'sa.UniqueConstraint("owner_id", "number",',
        'sa.UniqueConstraint("number",',
    ),
    "parent with rows cannot be deleted": ('            ondelete="CASCADE",\n', ""),
    "optional parent cannot be deleted": ('            ondelete="SET NULL",\n', ""),
    "deletes the rows of an optional parent": ('ondelete="SET NULL"', 'ondelete="CASCADE"'),
    "deletes the rows of a required parent": (
        'name=op.f("fk_invoices_note_id")',
        'name=op.f("fk_invoices_note_id"), ondelete="CASCADE"',
    ),
    "no foreign key": (
        'sa.ForeignKeyConstraint(\n            ["article_id"],\n            ["articles.id"],\n',
        'sa.ForeignKeyConstraint(\n            ["id"],\n            ["invoices.id"],\n',
    ),
    "shorter text": ("length=20", "length=19"),
    "shorter item of a list": ("length=10", "length=9"),
    "fewer digits": ("precision=12", "precision=11"),
    "fewer decimal places": ("scale=2", "scale=1"),
    "optional field that is required": (
        '"memo", sa.Text(), nullable=True',
        '"memo", sa.Text(), nullable=False',
    ),
    "no default": ('server_default=sa.text("CURRENT_DATE"), ', ""),
    "another default": ('server_default="draft"', 'server_default="sent"'),
    "missing value of an enum": ('                "sent",\n', ""),
    "column that is not searched": (" || ' ' || COALESCE(memo, '')", ""),
    "optional column that hides a row in the search": ("COALESCE(memo, '')", "memo"),
}

#: The bugs of each module, by its folder.
MUTATIONS: dict[str, Mutations] = {
    "app/schemas/": SCHEMAS,
    "app/db/models/": MODEL,
    "migrations/versions/": MIGRATION,
    "app/db/repositories/": REPOSITORY,
    "app/api/routes/": ROUTES,
}


def translate(text: str, layer: str) -> str:
    """Return the text of the module of another layer, from that of `async-session`."""
    if layer == "databases":
        text = re.sub(r"\bInvoice\.", "invoices.c.", text)
        text = re.sub(r"\bCustomer\.", "customers.c.", text)
    return text
