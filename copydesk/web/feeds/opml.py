"""The feeds of the sites file as OPML, for feed readers."""

from __future__ import annotations

from fastapi import APIRouter, Response

from crawler.sites import as_opml, read_sites

router = APIRouter(include_in_schema=False)


@router.get("/sites.opml")
def sites() -> Response:
    """Every site of the sites file that has a feed, as `copydesk sites export --opml` prints them."""
    headers = {"Content-Disposition": 'attachment; filename="sites.opml"'}
    return Response(as_opml(read_sites().values()), media_type="text/x-opml", headers=headers)
