"""The report: one HTML file about the published marts. Runs without Dagster."""

from veelocity_pipeline.faces.report.render import render_report
from veelocity_pipeline.published.series import ReportError

__all__ = ["ReportError", "render_report"]
