"""Removal of a generated resource."""


def undo(plural: str) -> None:
    """Remove the files of a resource."""
    raise NotImplementedError(plural)
