"""Which browser tests go to one worker of pytest-xdist: those that share a loaded page.

xdist's own groups (the mark ``xdist_group``) do nothing under pytest 9.2: xdist 3.8 writes a test's
group into an attribute of pytest's that is no more, so that both workers loaded every page.
"""

from __future__ import annotations

import re

from xdist.scheduler import LoadScopeScheduling

# Files whose tests share what was loaded once, all of them or those of one page.
_BY_FILE, _BY_PAGE = ("test_explorer_page.py", "test_lab.py"), "test_every_page.py"


def group(nodeid: str) -> str:
    """Return what a test shares with others: its page, its file, or nothing (its own name)."""
    file, _, test = nodeid.partition("::")
    if file.endswith(_BY_FILE):
        return file
    page = re.search(r"\[(.+?\.html)", test)
    return page[1] if page and file.endswith(_BY_PAGE) else nodeid


class PageScheduling(LoadScopeScheduling):
    """Hands out groups, in their order (--no-loadscope-reorder) or the largest first."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)
