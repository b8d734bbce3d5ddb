"""Errors of services."""

from app.errors import ConflictError


class CouponExhaustedError(ConflictError):
    """The coupon has no redemptions left."""

    code = "coupon-exhausted"
