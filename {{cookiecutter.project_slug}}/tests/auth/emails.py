"""E-mails that can, and that cannot, be registered."""

VALID = ["a@b", "a.b+c@d-e.f", "!#$%&'*+/=?^_`{|}~.-@a.b", ".@x", "a" * 242 + "@example.com"]
INVALID = [
    *("", "a", "@b", "a@", "a@b@c", "a b@c", "a@b c", "a@-b", "a@b-", "a@b..c", "ä@b", "a@ä"),
    *(" a@b", "a@b\n", "a\0@b", "a@" + "b" * 64, "a" * 243 + "@example.com", 1, None),
]
