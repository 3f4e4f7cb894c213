"""The one error that a person can mend."""


class OperatorError(Exception):
    """Something the person who runs Copydesk can put right: a path, a database URL, a site entry.

    The message is one line that says what is wrong, where, and what to do. Raised anywhere;
    caught only by the command line, which prints it and exits with status 2.
    """
