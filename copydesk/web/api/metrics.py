"""Metrics of the database for Prometheus, at /metrics: sites as the scheduler serves them, and totals."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from crawler.monitor import Exposition

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
def metrics(request: Request) -> Response:
    exposition: Exposition = request.app.state.metrics
    text, media_type = exposition.text()
    return Response(text, media_type=media_type)
