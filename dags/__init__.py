"""When things run. Airflow reads monitor, retrain, bulk and watch; the modules beside them are theirs."""
