"""Pages to which the links in mails lead, if `APP_URL` is the URL of the service.

They are small, for development and for services without another application. Opening a page
changes nothing, because mail scanners and previews follow links: only its button sends the token.
"""

from base64 import b64encode
from hashlib import sha256

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

_SCRIPT = """
const form = document.querySelector("form");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = Object.fromEntries(new FormData(form));
  body.token = new URLSearchParams(location.search).get("token") ?? "";
  const response = await fetch(form.getAttribute("action"), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const problem = response.ok ? null : await response.json();
  const invalid = problem?.errors?.[0];
  document.querySelector("[role=status]").textContent =
    invalid?.msg ?? problem?.detail ?? form.dataset.done;
});
"""

# The paths are relative, so that they keep the prefix of `ROOT_PATH`.
_CONFIRM = """
<form action="api/v1/auth/confirm" data-done="Your e-mail address is confirmed.">
<button>Confirm your e-mail address</button>
</form>
"""
_RESET = """
<form action="api/v1/auth/password/reset" data-done="Your password is changed.">
<label>New password
<input name="password" type="password" autocomplete="new-password" required minlength="8">
</label>
<button>Set the password</button>
</form>
"""

_SCRIPT_HASH = b64encode(sha256(_SCRIPT.encode()).digest()).decode()
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; script-src 'sha256-{_SCRIPT_HASH}'; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    # The URL contains the token.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def _page(title: str, form: str) -> HTMLResponse:
    content = (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'{form}<p role="status"></p>\n<script>{_SCRIPT}</script>\n</html>\n'
    )
    return HTMLResponse(content, headers=_HEADERS)


@router.get("/confirm")
async def confirm_page() -> HTMLResponse:
    """Return a page with a button that confirms the e-mail."""
    return _page("Confirm your e-mail address", _CONFIRM)


@router.get("/reset-password")
async def reset_password_page() -> HTMLResponse:
    """Return a page with a form for the new password."""
    return _page("Set a new password", _RESET)
