"""From a request to a new champion: a pipeline of stages, each of which may refuse, and none of which may do harm.

`request`: what is asked. `rows`: fresh labelled rows of the published copy. `pipeline`: collect, train, evaluate,
register, promote. `switching`: rollback and fallback. `watching`: what the new champion does afterwards.

Nothing here knows who asks: `dags/retrain.py` and the command line call the same functions.
"""
