"""Registration, password reset and change of an e-mail, which links in mails complete."""
