"""Request and response bodies of coupons and redemptions."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.schemas.base import RequestBody, ResponseBody, UtcDatetime
from app.schemas.fields import PlainText, PositiveInteger


class CouponCreate(RequestBody):
    """A new coupon."""

    code: Annotated[
        PlainText,
        Field(
            min_length=1,
            max_length=64,
            description="Unique code of the coupon.",
            examples=["SPRING"],
        ),
    ]
    init_count: Annotated[
        PositiveInteger,
        Field(description="Number of times that the coupon can be redeemed.", examples=[100]),
    ]


class CouponRead(ResponseBody):
    """A coupon."""

    id: UUID
    code: str
    init_count: Annotated[int, Field(description="Number of redemptions in total.")]
    remaining_count: Annotated[int, Field(description="Number of redemptions that are left.")]


class RedemptionRead(ResponseBody):
    """One redemption of a coupon."""

    id: UUID
    coupon_id: UUID
    created_at: UtcDatetime


class CouponWithRedemptions(CouponRead):
    """A coupon and its newest redemptions."""

    newest_redemptions: Annotated[
        list[RedemptionRead],
        Field(description="The newest redemptions, at most five."),
    ]
