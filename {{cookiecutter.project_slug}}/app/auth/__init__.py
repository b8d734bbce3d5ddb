"""Who is asking: passwords, the tokens that stand for them, and a limit on guessing."""
