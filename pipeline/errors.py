"""The one error that a person can mend."""


class OperatorError(Exception):
    """Something the person who runs Copydesk can put right: a path, a database URL, a site entry.

    The message is one line that says what is wrong, where, and what to do. Raised anywhere. The command line
    catches it, prints it and exits with status 2. So does what goes on without: the scheduler keeps the sites
    file that it has, and a crawl whose metrics cannot be served serves none.
    """
