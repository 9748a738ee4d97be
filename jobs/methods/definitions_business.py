"""Business: what was clicked, what acting brings, and new versions against the ones before."""

from jobs.methods.definition import Definition

_OUTCOMES = "predictions, or known outcomes"

BUSINESS: tuple[Definition, ...] = (
    Definition(
        "click_through", "business", "Share of predictions whose offer was clicked within the age.",
        harm="down", scale="rate", interval="Wilson", n=_OUTCOMES, source="a proportion",
        needs="actions", witness="by hand; statsmodels proportion_confint",
    ),
    Definition(
        "lift", "business",
        "Conversion of the answers acted on (decision 1) less that of the others. It tells what goes together, not "
        "what acting causes: the model chose whom to act on.",
        harm="down", scale="real", interval="Newcombe", n="outcomes of the smaller side",
        source="Newcombe (1998), method 10", needs="actions", witness="statsmodels confint_proportions_2indep",
    ),
    Definition(
        "lift_ratio", "business", "Conversion of the answers acted on, as a multiple of that of the others.",
        harm="down", scale="positive", interval="log (Katz)", n="outcomes of the smaller side",
        source="Katz et al. (1978)", needs="actions", witness="statsmodels confint_proportions_2indep",
    ),
    Definition(
        "model_change_z", "model",
        "Standard errors by which a new version is right more often (of numbers: has a smaller mean absolute error), "
        "since it began, than the one before in its last 28 days. Days are as unlike as they were before, so a "
        "standard error is that of days, not of single rows.",
        harm="down", scale="real", interval="", n="labelled decisions of the smaller side",
        source="two-sample test of proportions; Welch (1947) of errors", needs="changes",
        witness="statsmodels proportions_ztest; scipy ttest_ind; days by hand",
    ),
    Definition(
        "business_change_z", "business",
        "Standard errors by which a new version converts more, since it began, than the one before in its last 28 "
        "days; standard errors likewise.",
        harm="down", scale="real", interval="", n="outcomes of the smaller side",
        source="two-sample test of proportions", needs="changes", witness="statsmodels proportions_ztest; days by hand",
    ),
    Definition(
        "model_up_business_down", "business",
        "How sure it is that a new version is right more often and converts less: the smaller of both distances, in "
        "standard errors; negative where one of them points elsewhere.",
        harm="up", scale="real", interval="", n="rows of the smaller side",
        source="intersection-union test (Berger 1982)", needs="changes",
        witness="statsmodels proportions_ztest; days by hand",
    ),
    Definition(
        "model_down_business_up", "business",
        "How sure it is that a new version is right less often and converts more: the smaller of both distances, in "
        "standard errors.",
        harm="up", scale="real", interval="", n="rows of the smaller side",
        source="intersection-union test (Berger 1982)", needs="changes",
        witness="statsmodels proportions_ztest; days by hand",
    ),
)  # fmt: skip
