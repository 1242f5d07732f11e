"""A run as a page to look at."""

from engine_alpha.reports.page.document import page_of

__all__ = ["page_of"]
