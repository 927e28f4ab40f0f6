"""Tables in files, as people have them: found by name, made plain, read, typed.

    folder.py          which files of a folder are tables, and their names
    kinds.py           what a file is by its first bytes, whatever its ending says
    encodings.py       text of any encoding as UTF-8
    excel.py           a sheet of a workbook as CSV
    plain.py           the three above in one step: any file as plain text, or as Parquet
    separators.py      which character separates the columns, and in which line the names stand
    headers.py         the names of the columns
    odd_rows.py        rows with more or fewer cells than the header
    column_types.py    the narrowest type that all values of a column fit
    text_tables.py     text to Parquet, in two passes
    typed_files.py     each file once as Parquet
    notes.py           what was guessed, for later processes of a run
    null_columns.py    types of columns of NULL alone in CSV files that we write

What a file leaves open is guessed, said in one line, and can be overridden by an option. What could
only be read wrong is a `DataError` with the line.
"""
