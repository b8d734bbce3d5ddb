from app.auth.dependencies import CurrentUser
