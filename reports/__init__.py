"""How a night looks: from frames to a view, from the view to a page and a mail.

    history   frames of many nights, indexed once          -> Known, what was known on one night
    night     Known -> NightView, with one module of `sections` for each part of the page
    page      NightView -> one HTML file          mail   NightView -> an e-mail
    charts    small pictures as inline SVG        words, formats, sentence   what is written, and how

This room opens no file but its own templates, and knows no engine.
"""
