"""The app: `python -m td_mta.dashboard [FILE or run folder]`.

data/       sources, tables and sentences, without Streamlit
view.py     what a page shows, as plain values; report_file.py writes it as one HTML file
show.py     a view on the screen, with its downloads
state.py    what a browser's session holds, and links that restore it
screens/    a file for each page; a folder called pages beside app.py Streamlit takes for its own
app.py      what Streamlit runs
"""
