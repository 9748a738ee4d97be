"""When things run. Airflow reads monitor, retrain, switch, bulk and watch; the modules beside them are theirs."""
