"""What tasks make of a query's rows: one suite, on local tables and on Treasure Data."""

from typing import Literal

import pytest

from local_runner.__main__ import main
from tests.local_runner.td_project import SESSION, Place, place_with_clicks  # noqa: F401 (a fixture)

Warehouse = Literal["local", "td"]
WAREHOUSES: tuple[Warehouse, ...] = ("local", "td")
ROW = (
    "select cast(1 as bigint) as i, 0.1e0 as d, 1e300 as big, 123456789.123e0 as long, "
    "'x' as t, true as b, cast(null as varchar) as z"
)


@pytest.fixture(params=WAREHOUSES)
def warehouse(request: pytest.FixtureRequest) -> Warehouse:
    return request.param  # type: ignore[no-any-return]


def run(place: Place, warehouse: Warehouse, *arguments: str) -> int:
    if warehouse == "td":
        return place.run(*arguments)
    return main(["run", "main.dig", "--data", str(place.tables / "mta"), *SESSION, *arguments])


def test_the_first_row_is_stored_by_column_with_its_types(
    warehouse: Warehouse, place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(
        main="+a: {td>: q.sql, store_last_results: true}\n"
        "+b: {echo>: '${JSON.stringify(td.last_results)}'}\n",
        q__sql=ROW,
    )
    assert run(place, warehouse) == 0
    assert capfd.readouterr().out == (
        '{"i":1,"d":0.1,"big":1e+300,"long":123456789.123,"t":"x","b":true,"z":null}\n'
    )


def test_no_row_or_a_made_table_stores_nothing_and_forgets_what_was_there(
    warehouse: Warehouse, place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(
        main="+a: {td>: {data: select 1 as n}, store_last_results: true}\n"
        "+b: {td>: {data: select n from clicks where n > 9}, store_last_results: true}\n"
        "+c: {echo>: '${JSON.stringify(td.last_results)}'}\n"
        "+d: {td>: {data: select 1 as n}, create_table: made, store_last_results: true}\n"
        "+e: {echo>: '${JSON.stringify(td.last_results)}'}\n"
    )
    assert run(place, warehouse) == 0
    assert capfd.readouterr().out == "{}\n{}\n"


def test_td_for_each_runs_once_a_row_whose_doubles_pass_through_32_bits(
    warehouse: Warehouse, place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(
        main="+fe:\n  td_for_each>: q.sql\n  _do:\n    _export: {td: {own: 1, each: {more: 2}}}\n"
        "    +in: {echo>: '${JSON.stringify(td.each)} ${td.own}'}\n",
        q__sql=ROW,
    )
    assert run(place, warehouse) == 0
    out, err = capfd.readouterr()
    assert out == (
        '{"more":2,"i":1,"d":0.1,"big":"Infinity","long":123456790,"t":"x","b":true,"z":null} 1\n'
    )
    assert "+main+fe^sub+td-for-each-0+in\techo>: " in err


def test_td_for_each_over_no_row_has_no_subtasks(
    warehouse: Warehouse, place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    query = "select n from clicks where n > 9"
    place.write(main=f"+fe: {{td_for_each>: {{data: {query}}}, _do: {{fail>: ran}}}}\n")
    assert run(place, warehouse) == 0
    assert "^sub" not in capfd.readouterr().err


def test_td_for_each_makes_tables_whose_names_come_from_rows(
    warehouse: Warehouse, place: Place
) -> None:
    query = "select name from clicks order by name"
    place.write(
        main=f"+fe:\n  td_for_each>: {{data: {query}}}\n  _parallel: true\n"
        "  _do: {td>: q.sql, create_table: 'of_${td.each.name}'}\n"
        "+w: {td_wait_table>: of_bob, rows: 1}\n",
        q__sql="select n from clicks where name = '${td.each.name}'",
    )
    assert run(place, warehouse, "--out", "made") == 0
    if warehouse == "local":
        made = (place.root / "made" / "of_bob.csv").read_text(encoding="utf-8")
    else:
        made = place.td.engine.read("mta", "of_bob").to_pandas().to_csv(index=False)
    assert made == "n\n3\n"


def test_more_rows_than_digdag_has_tasks_for_are_an_error(
    warehouse: Warehouse, place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"x,{n}\n" for n in range(1000))
    (place.tables / "mta" / "many.csv").write_text("name,n\n" + rows, encoding="utf-8")
    query = "select n from many"
    place.write(main=f"+fe: {{td_for_each>: {{data: '{query}'}}, _do: {{echo>: ran}}}}\n")
    assert run(place, warehouse) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert "Too many tasks: td_for_each> of more than 900 rows" in err


def test_a_download_is_csv_with_crlf_nulls_empty_and_quotes_where_needed(
    warehouse: Warehouse, place: Place
) -> None:
    sql = (
        "select 'a,b' as \"first\", 'say \"hi\"' as second, cast(null as varchar) as none, "
        "'' as empty, 2.5e0 as d, 1e7 as exponent, true as b, chr(13) || chr(10) as line"
    )
    place.write(main="+a: {td>: q.sql, download_file: out.csv}\n", q__sql=sql)
    assert run(place, warehouse) == 0
    assert (place.root / "out.csv").read_bytes() == (
        b"first,second,none,empty,d,exponent,b,line\r\n"
        b'"a,b","say ""hi""",,"",2.5,1.0E7,true,"\n"\r\n'
    )


def test_a_download_stays_within_the_project(
    warehouse: Warehouse, place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(main="+a: {td>: {data: select 1 as n}, download_file: ../out.csv}\n")
    assert run(place, warehouse) == 1
    assert "must not be outside of project path: ../out.csv" in capfd.readouterr().err
    assert not (place.root.parent / "out.csv").exists()


def test_a_preview_goes_to_standard_error(
    warehouse: Warehouse, place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(main="+a: {td>: {data: select n from clicks order by n}, preview: true}\n")
    assert run(place, warehouse) == 0
    out, err = capfd.readouterr()
    assert out == ""
    assert ":\n  n\n  2\n  3\n" in err


@pytest.mark.parametrize(
    "query",
    [
        "select true",
        "select 1",
        "select 'no'",
        "select 0e0",
        "select n > 2 from clicks order by n desc",
    ],
)
def test_td_wait_ends_on_any_first_value_but_null_false_and_0(
    query: str, warehouse: Warehouse, place: Place
) -> None:
    place.write(main=f'+w: {{td_wait>: {{data: "{query} "}}}}\n')
    assert run(place, warehouse) == 0


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (
            "td_wait>: {data: select 0}",
            "td_wait>: the first value must be neither null, false nor 0, got 0; nothing else",
        ),
        ("td_wait>: {data: select false}", "false nor 0, got False; nothing else"),
        (
            "td_wait>: {data: select n from clicks where n > 9}",
            "false nor 0, got no row; nothing else",
        ),
        ("td_wait_table>: later", "td_wait_table>: no table later; nothing else writes local"),
        (
            "td_wait_table>: clicks\n  rows: 3",
            "clicks must have 3 rows, got 2; nothing else writes",
        ),
        ("td_for_each>: q.sql\n  _do: {echo>: x}", "column day is of type date, which local tabl"),
        ("td>: q.sql\n  store_last_results: true", "cast it to varchar, double or bigint"),
    ],
    ids=["0", "false", "no row", "no table", "too few rows", "a date", "a date stored"],
)
def test_on_local_tables_what_would_wait_for_ever_or_has_no_proven_type_fails(
    task: str, message: str, place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(main=f"+t:\n  {task}\n", q__sql="select date '2026-03-01' as day")
    assert run(place, "local") == 1
    assert message in capfd.readouterr().err


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ("+a: {echo>: '${td.last_job.id}'}", "main.dig:2: echo>: td.last_job and td.last_job_id"),
        ("+a: {td>: q.sql}", "q.sql: td.last_job and td.last_job_id have no meaning on local"),
        ("+a: {td>: {data: select 1}, result_url: x}", "td> with result_url has no meaning on"),
        ("+a: {td_ddl>: , drop_databases: [abc]}", "td_ddl> with drop_databases has no meaning"),
        ("+a: {td_for_each>: {data: 'select nope(1)'}, _do: {echo>: x}}", "function nope"),
        ("+a:\n  td_for_each>: {data: select 1}\n  _retry: 1\n  _do: {echo>: x}", "_retry and _ch"),
        ("+a:\n  td_for_each>: {data: select 1}\n  _do: {td>: bad.sql}", "bad.sql: not supported"),
    ],
    ids=["a job", "a job in SQL", "a result", "databases", "a function", "a retry", "within _do"],
)
def test_what_has_no_local_meaning_is_refused_before_the_run(
    tasks: str, message: str, place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(main=tasks + "\n", q__sql="select '${td.last_job_id}'", bad__sql="select nope(1)")
    assert run(place, "local") == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert message in err
