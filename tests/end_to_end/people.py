"""Who can log in to the Airflow under test, besides its administrator."""

CLERK, CLERKS_DAG = "clerk", "monitor_till"
"""May read one DAG, and no other."""

STRANGER = "stranger"
"""Can log in, and may nothing."""

USERS = f"admin:admin,{CLERK}:viewer,{STRANGER}:"
DOORKEEPER = "tests.end_to_end.doorkeeper.Doorkeeper"
