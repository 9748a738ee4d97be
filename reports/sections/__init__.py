"""The parts of the page: each module turns what was known into one part of the view."""
