"""The component: hands the interface's one call to the report, and errors back."""
# ruff: noqa: INP001 - the guest's tool loads this by path; a folder of guests is no package

from componentize_py_types import Err
from report import Impossible, NoTexts, render
from wit_world.exports import reporter


class Reporter:
    """Implements ``airssys:markdown-report/reporter``."""

    def render(self, title: str, texts: list[reporter.Text]) -> str:
        """Write the report; see the interface."""
        try:
            return render(title, texts)
        except NoTexts as error:
            raise Err(reporter.Error_NoTexts()) from error
        except Impossible as error:
            raise Err(reporter.Error_Impossible((error.name, error.reason))) from error
