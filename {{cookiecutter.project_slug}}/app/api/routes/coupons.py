"""Coupons and their redemptions: `/api/v1/coupons`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response

from app.api.dependencies import TransactionDep, provide_reader, provide_writer
from app.api.pagination import PageParams, page_params, paginate
from app.api.paths import location_of
from app.api.problem_details import error_responses
# jinja: if cookiecutter.auth
from app.auth.dependencies import get_current_user
from app.auth.permissions import Allowed
# jinja: endif
from app.db.repositories.coupons import (
    REDEMPTION_LIST,
    CouponReader,
    CouponWriter,
)
from app.schemas.coupons import (
    CouponCreate,
    CouponRead,
    CouponWithRedemptions,
    RedemptionRead,
)
from app.services.coupons import redeem

router = APIRouter(prefix="/api/v1/coupons", tags=["coupons"])

CouponReaderDep = Annotated[CouponReader, Depends(provide_reader(CouponReader))]
# The transaction of a request commits before the response is sent, so a 201 means that the row is
# stored (see `app.api.dependencies`).
CouponWriterDep = Annotated[CouponWriter, Depends(provide_writer(CouponWriter))]

CouponId = Annotated[UUID, Path(description="ID of the coupon.")]
CouponPageDep = Annotated[PageParams, Depends(page_params(CouponReader.rows))]
RedemptionPageDep = Annotated[PageParams, Depends(page_params(REDEMPTION_LIST))]


@router.get("")
async def list_coupons(
    coupons: CouponReaderDep, page: CouponPageDep
) -> list[CouponWithRedemptions]:
    """List coupons, newest first, each with its five newest redemptions."""
    listed = paginate(page, await coupons.list(page), CouponRead)
    # One statement for all coupons of the page.
    redemptions = await coupons.newest_redemptions(coupon.id for coupon in listed)
    return [
        CouponWithRedemptions.model_validate(
            {**dict(coupon), "newest_redemptions": redemptions.get(coupon.id, [])}
        )
        for coupon in listed
    ]


@router.post(
    "",
    status_code=201,
    # jinja: if cookiecutter.auth
    dependencies=[Allowed("coupons:write")],
    # jinja: endif
    responses=error_responses(409),
)
async def create_coupon(
    new_coupon: CouponCreate, coupons: CouponWriterDep, request: Request, response: Response
) -> CouponRead:
    """Create a coupon, with all its redemptions available.

    Fails with 409 if the code is already in use.
    """
    row = await coupons.create(**new_coupon.model_dump(), remaining_count=new_coupon.init_count)
    coupon = CouponRead.model_validate(row)
    response.headers["Location"] = location_of(request.scope, coupon.id)
    return coupon


@router.get("/{coupon_id}", responses=error_responses(404))
async def get_coupon(coupon_id: CouponId, coupons: CouponReaderDep) -> CouponRead:
    """Get a coupon by ID."""
    return CouponRead.model_validate(await coupons.get(coupon_id))


@router.get("/{coupon_id}/redemptions", responses=error_responses(404))
async def list_redemptions(
    coupon_id: CouponId, coupons: CouponReaderDep, page: RedemptionPageDep
) -> list[RedemptionRead]:
    """List the redemptions of a coupon, newest first."""
    return paginate(page, await coupons.list_redemptions(coupon_id, page), RedemptionRead)


@router.post(
    "/{coupon_id}/redemptions",
    status_code=201,
    # jinja: if cookiecutter.auth
    dependencies=[Depends(get_current_user)],
    # jinja: endif
    responses=error_responses(404, 409),
)
async def redeem_coupon(coupon_id: CouponId, transaction: TransactionDep) -> RedemptionRead:
    """Redeem a coupon once. Fails with 409 if it has no redemptions left."""
    return RedemptionRead.model_validate(await redeem(coupon_id, transaction))
