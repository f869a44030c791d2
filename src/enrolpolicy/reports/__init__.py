"""A report about one account on one date, as a page to look at: needs the extra `report`.

from enrolpolicy.reports import report_page

Path("report.html").write_text(report_page(snapshot, on=date(2026, 11, 23)), encoding="utf-8")
"""

from enrolpolicy.reports.content import Report, report_content
from enrolpolicy.reports.page import MissingExtra, report_html, report_page

__all__ = ["MissingExtra", "Report", "report_content", "report_html", "report_page"]
