"""Rules that span several repositories."""
