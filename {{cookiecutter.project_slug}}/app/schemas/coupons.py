"""Coupons and redemptions, as clients send and get them."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.schemas.base import RequestBody, ResponseBody, UtcDatetime
from app.schemas.fields import NO_NUL_PATTERN, PositiveInteger


class CouponCreate(RequestBody):
    """A new coupon, good for `init_count` redemptions."""

    code: Annotated[
        str, Field(min_length=1, max_length=64, pattern=NO_NUL_PATTERN, examples=["SPRING"])
    ]
    init_count: Annotated[PositiveInteger, Field(examples=[100])]


class CouponRead(ResponseBody):
    """A coupon."""

    id: UUID
    code: str
    init_count: int
    remaining_count: int


class RedemptionRead(ResponseBody):
    """One use of a coupon."""

    id: UUID
    coupon_id: UUID
    created_at: UtcDatetime
