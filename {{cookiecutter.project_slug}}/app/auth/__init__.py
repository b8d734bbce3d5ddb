"""Authentication: passwords, tokens and login throttling.

- `accounts`: register users, log in, update credentials.
- `administration`: what administrators and operators do to users.
- `credential_check`: verify a password before a transaction, and confirm the result inside it.
- `login_throttle`: limit on failed login attempts.
- `rate_limits`: limits on requests to any route, per network of the client.
- `client_networks`: the networks of a client, for these limits.
- `passwords`: argon2id hashes.
- `password_rules`: rules for new passwords.
- `hash_queue`: the queue of passwords to hash.
- `client_connection`: notices that the client of a request disconnects.
- `sessions`: refresh tokens, from login to logout.
- `tokens`: the formats of access tokens and refresh tokens.
- `scopes`, `permissions`: names of permissions, and the dependency that requires one.
- `api_keys`: credentials of programs.
- `signing_secrets`: detection of weak secrets in `AUTH_SECRETS`.
- `authentication`: the services that all requests of a process share.
# jinja: if cookiecutter.jobs
- `links`: registration, password reset and change of an e-mail, which links in mails complete.
- `link_mails`: the mails with these links, composed by jobs.
# jinja: endif
- `dependencies`: FastAPI dependencies for routes, such as `CurrentUser`.

Other routes get their repositories from `app.api.dependencies`, in one transaction per request.
`AccountService` and `AuthSessions` open their own transactions and create repositories in them, for
two reasons. A request must not hold a database connection while it hashes a password (about 0.1 s).
And a failed login or a revoked session must be committed before the error is raised, because an
exception inside the transaction would roll it back.

`docs/security.md` describes the threats and the measures that are left to you.
"""
