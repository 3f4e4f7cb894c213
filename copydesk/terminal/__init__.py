"""What a person reads in a terminal: consoles, error messages, progress, articles, and evidence for pairs.

The commands decide what is said; this decides how it looks. Rich and Typer are imported here, and whatever
comes from a page is printed without its control characters.
"""

from copydesk.terminal.console import (
    as_line,
    confirmed,
    err,
    out,
    plain,
    print_columns,
    print_json,
    print_json_lines,
    print_wrapped,
    when,
)
from copydesk.terminal.crawl_progress import watching_sites
from copydesk.terminal.evidence import HEADINGS, columns, facts, verdict
from copydesk.terminal.messages import SafeGroup, escaped, given_command, safe_line, without_passwords
from copydesk.terminal.progress import (
    counting,
    print_alerts,
    print_lesson,
    print_site_rules,
    print_summary,
    watching,
)
from copydesk.terminal.rendering import (
    as_markdown,
    print_article,
    print_changes,
    print_revisions,
    snippet_line,
    visible,
)
from copydesk.terminal.sites import header, print_page, shown
from copydesk.terminal.stage_progress import watching_stages
from copydesk.terminal.volume import HABITS, Volume, choose_volume, volume, with_habits

__all__ = [
    "HABITS",
    "HEADINGS",
    "SafeGroup",
    "Volume",
    "as_line",
    "as_markdown",
    "choose_volume",
    "columns",
    "confirmed",
    "counting",
    "err",
    "escaped",
    "facts",
    "given_command",
    "header",
    "out",
    "plain",
    "print_alerts",
    "print_article",
    "print_changes",
    "print_columns",
    "print_json",
    "print_json_lines",
    "print_lesson",
    "print_page",
    "print_revisions",
    "print_site_rules",
    "print_summary",
    "print_wrapped",
    "safe_line",
    "shown",
    "snippet_line",
    "verdict",
    "visible",
    "volume",
    "watching",
    "watching_sites",
    "watching_stages",
    "when",
    "with_habits",
    "without_passwords",
]
