"""What pytest must not import here to look for doctests."""

collect_ignore = ["doorkeeper.py"]  # an auth manager, loaded by Airflow's API server with its own settings
