"""The one exception that bad input raises."""


class ReglabError(ValueError):
    """Something the user can mend: the message is one line that says what and how."""
