"""The reading desk: what is in the database, in a browser and over HTTP. `copydesk serve` runs it.

Pages are made on the server and work without script. The database is opened read-only, every query has a
time limit, and every answer has an ETag of the database's last change. Nothing here computes: each page asks
`storage.reader`, as the commands and the library do. The extra `web` brings what this package imports.
"""

from copydesk.web.app import make_app
from copydesk.web.server import serve
from copydesk.web.settings import DEFAULT_HOST, DEFAULT_PORT, DeskSettings, from_environment

__all__ = ["DEFAULT_HOST", "DEFAULT_PORT", "DeskSettings", "from_environment", "make_app", "serve"]
