"""What Nightjar does each night. Knows nothing of Airflow; see docs/ and the README for the map of the house."""
