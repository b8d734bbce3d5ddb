"""Authentication and authorization of users.

Accounts and sessions:
- `accounts`: create users, log in, update credentials.
# jinja: if cookiecutter.jobs
- `links`: registration, password reset and change of an e-mail, which links in mails complete.
- `link_mails`: composes the mails with these links, in jobs (`link_mail_job`); `mails`: the texts.
- `link_tokens`: the tokens in the links.
- `confirmation`: of users whose password a link or an administrator has replaced.
# jinja: endif
- `administration`: what administrators and operators do to users.
- `sessions`: refresh tokens, from login to logout; `access` ends all sessions of a user.
- `api_keys`: credentials of programs.

Passwords and limits:
- `credential_check`: verify a password before a transaction, and confirm the result inside it.
- `passwords`, `hash_queue`: argon2id hashes, and the queue of passwords to hash.
- `password_rules`: rules for new passwords.
- `login_throttle`: limit on failed login attempts.
- `rate_limits`: limits on requests to any route.
- `client_networks`, `client_connection`: the networks of a client, and whether it has disconnected.

Tokens and permissions:
- `tokens`: access tokens. `signing_secrets` detects weak secrets in `AUTH_SECRETS`.
- `opaque_tokens`: the format of refresh tokens and API keys.
- `scopes`, `permissions`: names of permissions, and the dependency that requires one.

For routes:
# jinja: if cookiecutter.jobs
- `dependencies`, `link_dependencies`: FastAPI dependencies, such as `CurrentUser`.
# jinja: else
- `dependencies`: FastAPI dependencies, such as `CurrentUser`.
# jinja: endif
- `authentication`: the services that all requests of a process share.
- `settings`, `errors`.

Other routes get their repositories from `app.api.dependencies`, in one transaction per request.
Services such as `AccountService` open their own transactions and create repositories in them, for
two reasons. A request must not hold a database connection while it hashes a password (about 0.1 s).
And a failed login or a revoked session must be committed before the error is raised, because an
exception inside the transaction would roll it back.

`docs/security.md` describes the threats and the measures that are left to you.
"""
