"""What a study found, as one self-contained HTML page, its Markdown mirror, figures and the data behind them."""

from teachwhy.report.build import build_report
from teachwhy.report.data import ReportData

__all__ = ["ReportData", "build_report"]
