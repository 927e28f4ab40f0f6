"""What the app shows, without Streamlit: sources, tables, sentences.

    kept.py, distinct.py, gathering.py   journeys as the app keeps them, and their files
    sources.py, worker.py, jobs.py       simulate, read and train in processes of their own
    source.py, run_folder.py             what a page asks: a table, a simulated world or a run
    spend.py, moves.py                   cost, CPA, ROAS, ROMS; moving a budget
    journeys_tables.py                   lengths, times, roles, frequent paths, transitions
    findings.py                          what a page's title states

Credit comes from the library's own functions alone, so that the numbers are those of its tables.
"""
