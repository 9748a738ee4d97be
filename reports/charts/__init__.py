"""Small pictures as inline SVG: data in, text out. Colours are the page's style sheet's, and follow its mode."""
