#!/bin/sh
# Start a local Airflow with Nightjar's DAGs; Ctrl-C stops all of it. What it needs: docs/airflow.md.
cd "$(dirname "$0")/../.." || exit 1
exec .venv/bin/python -m deploy.airflow.start "$@"
