"""Tables of paths are told from tables of touches and read in every form that people have."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from td_mta.config import attribution as configuration
from td_mta.errors import DataError
from td_mta.ingest import path_tables
from td_mta.ingest.path_tables import check_no_paths
from td_mta.pipelines import paths as pipeline
from td_mta.warehouse.local import LocalWarehouse

RECORDED = Path(__file__).parents[1] / "conformance" / "attribution"
ABA = ["a", "b", "a"]


def find(folder: Path, text: str, **settings: str) -> path_tables.PathTable | None:
    (folder / "paths.csv").write_text(text, encoding="utf-8")
    return find_stored(folder, **settings)


def find_stored(folder: Path, **settings: str) -> path_tables.PathTable | None:
    config = configuration.from_params({"table": "paths"} | settings, "test", out=folder)
    return path_tables.find(config, {"table", *settings}, warehouse(folder))


def warehouse(folder: Path) -> LocalWarehouse:
    return LocalWarehouse(folder, folder / "out", now=0)


def given(folder: Path, **settings: str) -> path_tables.Given:
    table = find_stored(folder, **settings)
    assert table is not None
    config = configuration.from_params({"table": "paths"} | settings, "test", out=folder)
    return path_tables.read(table, config, warehouse(folder))


def read(folder: Path, text: str, **settings: str) -> path_tables.Given:
    (folder / "paths.csv").write_text(text, encoding="utf-8")
    return given(folder, **settings)


def touches(found: path_tables.Given) -> list[list[str]]:
    names = [found.channels[code] for code in found.paths.channel]
    return [
        names[first:last]
        for first, last in zip(found.paths.offsets[:-1], found.paths.offsets[1:], strict=True)
    ]


@pytest.mark.parametrize(
    "cell",
    [
        *("a > b > a", "a>b>a", "a -> b -> a", "a->b->a", "a => b => a", "a → b → a", "a » b » a"),
        *("a::b::a", "a :: b :: a"),
        *("a | b | a", "a|b|a", "a; b; a", "a,b,a", " a >  b > a > ", "a / b / a"),
        *("['a', 'b', 'a']", '["a","b","a"]', "[a, b, a]", "{a,b,a}", "('a', 'b', 'a')"),
        *("(start) > a > b > a > (conversion)", "a > b > (not set) > a > NULL"),
        *("a > b \u00d7 1 > a", "a x 1 > b > a"),
    ],
)
def test_touches_are_separated_however_they_are_written(cell: str, tmp_path: Path) -> None:
    quoted = cell.replace('"', '""')
    found = read(tmp_path, f'path,conversions\n"{quoted}",2\n')
    assert touches(found) == [ABA]


def test_counts_of_touches_in_a_row_are_repeats(tmp_path: Path) -> None:
    found = read(tmp_path, "path,conversions\nDirect \u00d7 3 > Email x 2,1\nModel X,1\n")
    assert touches(found) == [["Direct"] * 3 + ["Email"] * 2, ["Model X"]]
    assert "5 touches were read of counts" in " ".join(found.notes)


def test_names_may_hold_weaker_separators(tmp_path: Path) -> None:
    text = 'path,conversions\n"Search, Brand > google / cpc > A|B",1\nA; C,1\n'
    assert touches(read(tmp_path, text)) == [["Search, Brand", "google / cpc", "A|B"], ["A; C"]]


def test_a_parameter_names_the_separator(tmp_path: Path) -> None:
    text = "path,conversions\na > b~c,1\n"
    assert touches(read(tmp_path, text, path_separator="~")) == [["a > b", "c"]]


def test_lists_of_a_parquet_file(tmp_path: Path) -> None:
    table = pa.table(
        {"touches": [ABA, None, [], ["b", None]], "converted": [True, True, False, False]}
    )
    pq.write_table(table, tmp_path / "paths.parquet")
    found = given(tmp_path)
    assert touches(found) == [ABA, [], [], ["b"]]
    assert found.paths.nulls.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("touch_1,touch_2,touch_3", {}),
        ("touch_1,touch_2,touch_3", {"action_column": "touch_"}),
        ("touch_1,touch_2,touch_3", {"action_column": "touch_1"}),
        ("Channel 1,Channel 2,Channel 3", {}),
        ("tp01,tp02,tp10", {"action_column": "tp01"}),
        ("weg1,weg2,weg3", {"action_column": "weg"}),
    ],
)
def test_a_column_for_each_touch(header: str, named: dict[str, str], tmp_path: Path) -> None:
    text = f"user_id,{header},converted\n1,a,b,a,yes\n2,b,,,no\n3,a,,b,yes\n"
    found = read(tmp_path, text, **named)
    assert touches(found) == [ABA, ["b"], ["a", "b"]]
    assert found.paths.conversions.tolist() == [1, 0, 1]
    assert found.paths.nulls.tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    "columns",
    [
        "path,total_conversions,total_conversion_value,total_null",
        "Conversion path,Key events,Purchase revenue (USD),Null paths",
        "MCF Channel Grouping Path,Conversions,Conversion Value,nulls",
        "channels_agg,converted_agg,conversion_value,not_converted",
        "date,path,conversions,revenue,total_null",
    ],
)
def test_columns_are_found_by_usual_names(columns: str, tmp_path: Path) -> None:
    day = "2024-03-01," if columns.startswith("date") else ""
    paths = read(tmp_path, f"{columns}\n{day}a > b,2,4.5,3\n{day}b,0,0,6\n").paths
    amounts = [amount.tolist() for amount in (paths.conversions, paths.value, paths.nulls)]
    assert amounts == [[2, 0], [4.5, 0], [3, 6]]


@pytest.mark.parametrize("name", ["pathway", "route", "转化路径", "Weg der Kunden", "x"])
def test_the_column_of_paths_may_have_any_name(name: str, tmp_path: Path) -> None:
    found = find(tmp_path, f"{name},pathway_length,conversion_count\na > b,2,3\nb,1,1\n")
    assert found is not None
    assert (found.touches, found.separator, found.conversions) == ((name,), ">", "conversion_count")


def test_of_two_usual_names_the_one_that_holds_paths_counts(tmp_path: Path) -> None:
    header = "Default channel group path,Key events,Days to key event,Touchpoints"
    found = find(tmp_path, f"{header}\na → b \u00d7 2,2,3.5,3\nb,1,1,1\n")
    assert found is not None
    assert (found.touches, found.separator) == (("Default channel group path",), "→")


@pytest.mark.parametrize("name", ["sold", "gekauft", "是否转化", "Converted"])
def test_flags_of_journeys_have_the_names_of_flags_of_touches(name: str, tmp_path: Path) -> None:
    paths = read(tmp_path, f"customer,tp1,tp2,{name}\n1,a,b,1\n2,b,,0\n").paths
    assert paths.conversions.tolist() == [1, 0]


def test_other_text_is_no_path(tmp_path: Path) -> None:
    assert find(tmp_path, "note,number\na > b,2\n" + "b,1\n" * 9) is None
    assert find(tmp_path, "device,number\nDesktop | US,2\nMobile | DE,1\n") is None


def test_parameters_name_the_columns(tmp_path: Path) -> None:
    text = "path,route,conversions,won,value,worth,total_null,lost\na > b,x > y,9,1,9,2.5,9,4\n"
    found = read(
        tmp_path,
        text,
        action_column="route",
        conversion_column="won",
        value_column="worth",
        null_paths_column="lost",
    )
    assert touches(found) == [["x", "y"]]
    paths = found.paths
    assert (paths.conversions[0], paths.value[0], paths.nulls[0]) == (1, 2.5, 4)


@pytest.mark.parametrize(
    "text",
    [
        "user_id,time,channel,conversion\n1,1709251200,a > b,1\n",
        "customer_id,created_at,channels,converted\n1,2024-03-01,a > b,1\n",
        "path,conversions\na,1\nb,2\n",
        'user_id,channel,conversion\n1,"a, b",1\n',
        "a,b\n1,2\n",
    ],
)
def test_a_table_of_touches_is_none_of_paths(text: str, tmp_path: Path) -> None:
    assert find(tmp_path, text) is None


def test_spellings_are_joined_by_the_parameter_alone(tmp_path: Path) -> None:
    text = "path,conversions\nEmail > email > EMAIL > Email,1\n"
    assert read(tmp_path, text).channels == ["EMAIL", "Email", "email"]
    joined = read(tmp_path, text, channel_letter_case="join")
    assert touches(joined) == [["Email"] * 4]


def test_values_of_the_conversion_column_can_be_named(tmp_path: Path) -> None:
    text = 'path,conversion,value\na > b,Sale,"1.234,50 EUR"\nb > a,none,\nb,sale,"2,00 EUR"\n'
    paths = read(tmp_path, text, conversion_value_is="sale").paths
    assert paths.conversions.tolist() == [1, 0, 1]
    assert paths.value.tolist() == [1234.5, 0, 2]


def test_a_table_that_does_not_exist_is_none_of_paths(tmp_path: Path) -> None:
    assert find_stored(tmp_path) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("path,conversions\n", "table paths has no rows"),
        ("path,conversions\na > b,0\n", "no path has a conversion in column conversions"),
        ("path,conversions\na > b,-1\n", "column conversions must hold counts from 0 on, got -1"),
        ("path,conversions\na > b,many\n", "column conversions must hold .* got 'many'"),
        ("path,conversions\n > ,1\n", "column path: no path has a touch"),
    ],
)
def test_what_cannot_be_read_is_shown(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=told):
        read(tmp_path, text, path_separator=">")


def test_a_column_that_is_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"table paths \(conversion_column\): no column 'convs'"):
        find(tmp_path, "path,conversions\na > b,1\n", conversion_column="convs")


def test_what_is_guessed_is_said(tmp_path: Path) -> None:
    found = read(tmp_path, "path\na > b\n")
    assert "each row counts as one conversion" in found.warnings[0]
    assert "the Markov chain knows journeys that converted alone" in " ".join(found.notes)
    unconverted = read(tmp_path, "path,conversions,value\na > b,1,2\nb > a,0,3.5\n")
    assert (
        "1 paths without a conversion have a value in column value, 3.50" in unconverted.warnings[0]
    )
    assert unconverted.paths.nulls.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("counts", "decimal_mark", "conversions", "told"),
    [
        (["1.234", "31"], "none", [1234, 31], "1.234 is 1,234"),
        (["1.234", "31"], "point", [1.234, 31], ""),
        (["1.234", "0.5"], "none", [1.234, 0.5], "parts of counts, such as 1.234"),
        ([1.234, 31.0], "none", [1.234, 31], "parts of counts, such as 1.234"),
        ([1234, 31], "none", [1234, 31], ""),
    ],
)
def test_a_point_between_thousands_of_counts(
    counts: list[object], decimal_mark: str, conversions: list[float], told: str, tmp_path: Path
) -> None:
    table = pa.table({"path": ["a > b", "b"], "conversions": counts})
    pq.write_table(table, tmp_path / "paths.parquet")
    found = given(tmp_path, decimal_mark=decimal_mark)
    assert found.paths.conversions.tolist() == conversions
    notes = [note for note in found.notes if "conversions" in note and "between thousands" in note]
    assert len(notes) == (told != "") and told in "".join(notes)


def test_channels_that_are_paths_are_refused_and_hierarchies_are_not() -> None:
    with pytest.raises(DataError, match=r"column c must hold one channel .* 'a > b': set path_sep"):
        check_no_paths(["a", "a > b", "b > a > c", "c > a"], "table t, column c")
    check_no_paths(["Ads > Search", "Ads > Social", "Mail > News", "Direct"], "x")
    check_no_paths(["a", "b", "a > b"], "x")


def run(folder: Path, **settings: str) -> pd.DataFrame:
    config = configuration.from_params({"table": "paths"} | settings, "test", out=folder / "out")
    table = path_tables.find(config, {"table", *settings}, warehouse(folder))
    assert table is not None
    pipeline.run(table, config, warehouse(folder), None)
    return pd.read_csv(folder / "out" / "shapley_models.csv")


def public(folder: Path) -> None:
    """The 10,000 public paths that the package mta ships."""
    rows = pd.read_csv(str(files("mta") / "data" / "data.csv.gz"))
    rows.to_csv(folder / "paths.csv", index=False)


@pytest.mark.parametrize("nulls", ["true", "false"])
def test_the_public_paths_give_what_peers_give(nulls: str, tmp_path: Path) -> None:
    public(tmp_path)
    models = run(tmp_path, markov_order="1", markov_nulls=nulls).set_index(["model", "channel"])
    rules = pd.read_csv(RECORDED / "rules.csv").set_index("channel")
    for model, column in (("first_touch", "first"), ("last_touch", "last"), ("linear", "linear")):
        for measure in ("conversions", "value"):
            credit = models.loc[model][measure].drop("(baseline)")
            assert credit.to_numpy() == pytest.approx(rules[f"{column}_{measure}"], rel=1e-9)
    file = "with" if nulls == "true" else "without"
    wanted = pd.read_csv(RECORDED / f"markov_order1_{file}_nulls.csv").set_index("channel_name")
    credit = models.loc["markov"]["conversions"].drop("(baseline)")
    assert credit.to_numpy() == pytest.approx(wanted["total_conversions"], rel=1e-9)
    assert "time_decay" not in models.index


def test_many_journeys_choose_the_order_of_the_chain_and_sums_stay(tmp_path: Path) -> None:
    public(tmp_path)
    models = run(tmp_path)
    sums = models.groupby("model")[["conversions", "value"]].sum()
    assert sums["conversions"].to_numpy() == pytest.approx(19785, rel=1e-12)
    assert sums["value"].to_numpy() == pytest.approx(74802.97158721073, rel=1e-12)
    notes = pd.read_csv(tmp_path / "out" / "shapley_run_info.csv")["value"]
    assert notes.str.match(r"The Markov chain has order [2-4]").any()


def test_ten_million_conversions_are_weights(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    paths = [" > ".join(rng.choice(list("abcdefgh"), rng.integers(1, 20))) for _ in range(5000)]
    frame = pd.DataFrame({"path": paths, "conversions": 2000, "total_null": 10**6})
    frame.to_csv(tmp_path / "paths.csv", index=False)
    sums = run(tmp_path).groupby("model")["conversions"].sum()
    assert sums.to_numpy() == pytest.approx(10**7, rel=1e-9)


def test_tables_of_an_earlier_run_are_named(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "shapley_detail.csv").write_text("channel\n")
    (tmp_path / "paths.csv").write_text("path,conversions\na > b,1\n")
    run(tmp_path)
    said = (tmp_path / "out" / "shapley_run_info.csv").read_text()
    assert "Not of this run, but of an earlier one: the tables shapley_detail." in said
