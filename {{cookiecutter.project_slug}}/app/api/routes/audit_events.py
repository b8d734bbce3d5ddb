"""Audit events: `/api/v1/admin/audit-events`.

They show what administrators and operators have done to users. Requires the scope `users:admin`.
"""

from typing import Annotated

from fastapi import APIRouter, Depends

from app.api.dependencies import provide_reader
from app.api.pagination import PageParams, page_params, paginate
from app.auth.permissions import Allowed
from app.auth.scopes import ADMIN_SCOPE
from app.db.repositories.audit_events import AuditEventReader
from app.schemas.audit_events import AuditEventRead

router = APIRouter(
    prefix="/api/v1/admin/audit-events",
    tags=["audit-events"],
    dependencies=[Allowed(ADMIN_SCOPE)],
)

AuditEventReaderDep = Annotated[AuditEventReader, Depends(provide_reader(AuditEventReader))]
AuditEventPageDep = Annotated[PageParams, Depends(page_params(AuditEventReader.rows))]


@router.get("", summary="List audit events")
async def list_audit_events(
    events: AuditEventReaderDep, page: AuditEventPageDep
) -> list[AuditEventRead]:
    """List audit events, newest first."""
    return paginate(page, await events.list(page), AuditEventRead)
