"""The report: one HTML file about the published marts. Runs without Dagster."""

from veelocity_pipeline.report.queries import ReportError
from veelocity_pipeline.report.render import render_report

__all__ = ["ReportError", "render_report"]
