"""NannyML with CBPE: all of `nannyml_plain`, and performance estimated before labels are in, for each segment value."""

from __future__ import annotations

from nannyml_plain import main

if __name__ == "__main__":
    main(estimated=True)
