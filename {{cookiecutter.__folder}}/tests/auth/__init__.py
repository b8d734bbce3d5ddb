import os

# Passwords are hashed as in production, but in a millisecond.
os.environ |= {"AUTH_HASH_MEMORY": "32768", "AUTH_HASH_PASSES": "1", "AUTH_HASH_LANES": "1"}
