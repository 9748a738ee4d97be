"""When things run. Airflow reads monitor, retrain, switch and watch; the modules beside them are theirs."""
