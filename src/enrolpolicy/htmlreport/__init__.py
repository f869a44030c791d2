"""A report about one account on one date, as a page to look at: needs the extra `report`.

from enrolpolicy.htmlreport import report_page

Path("report.html").write_text(report_page(snapshot, on=date(2026, 11, 23)), encoding="utf-8")
"""

from enrolpolicy.htmlreport.content import report_content
from enrolpolicy.htmlreport.page import MissingExtra, report_html, report_page
from enrolpolicy.htmlreport.values import Report

__all__ = ["MissingExtra", "Report", "report_content", "report_html", "report_page"]
