"""The report: one page of all that a workspace holds, section by section, from plain values of its artefacts."""

from aisle.reporting.report.ablation import ablation_section
from aisle.reporting.report.abtest import LiveLifts, abtest_section
from aisle.reporting.report.boost import boost_section
from aisle.reporting.report.comparison import comparison_section
from aisle.reporting.report.data import TableRows, data_section
from aisle.reporting.report.debiased import debiased_section
from aisle.reporting.report.evaluation import evaluation_section
from aisle.reporting.report.examples import Example, Shown, examples_section
from aisle.reporting.report.index import index_section
from aisle.reporting.report.model import model_section
from aisle.reporting.report.page import report_page
from aisle.reporting.report.section import Made, Section
from aisle.reporting.report.tuning import tuning_section

__all__ = [
    "Example",
    "LiveLifts",
    "Made",
    "Section",
    "Shown",
    "TableRows",
    "ablation_section",
    "abtest_section",
    "boost_section",
    "comparison_section",
    "data_section",
    "debiased_section",
    "evaluation_section",
    "examples_section",
    "index_section",
    "model_section",
    "report_page",
    "tuning_section",
]
