"""When things run. Airflow reads `monitor.py` and `retrain.py`; the modules beside them are theirs."""
