"""Access to coupons and their redemptions."""

from tests.auth.access_rules import anyone, scope, users

ROWS = {"coupon_id": "coupons"}
ACCESS = {
    "list_coupons": anyone(200),
    "create_coupon": scope("coupons:write", 201),
    "get_coupon": anyone(200),
    "list_redemptions": anyone(200),
    "redeem_coupon": users(201),
}
