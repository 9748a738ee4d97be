"""Measurements, run by `make bench`; figures are ratios taken in one run, and never asserted in a test."""
