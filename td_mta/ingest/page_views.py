"""What `queries/union.sql` converts or cannot read in the tables of page views and form fills.

The query's own table no longer shows it, so the inputs are counted again, where they still exist.
"""

from td_mta.config.attribution import Config
from td_mta.errors import MtaError
from td_mta.warehouse import Warehouse

# A scheme and a host, a path, a query or a fragment, or a host without a scheme.
_READABLE = r"^[ ]*(?:[^:/?#]*:)?//[^/?#]|^[ ]*[/?#]|^[ ]*[-A-Za-z0-9]+[.]"
_NO_REFERRER = "'', '-', 'null', 'none', '(none)', 'direct', '(direct)', 'undefined', 'about:blank'"


def warnings(config: Config, warehouse: Warehouse) -> list[str]:
    """Times in another unit than seconds, and URLs without a host; none for other inputs."""
    if config.union_query != "union" or config.table != config.rand_shuffle:
        return []
    sentences = []
    for table in filter(None, (config.enriched_pageviews, config.enriched_formfills)):
        sentences += _of_table(table, config, warehouse)
    return sentences


def _of_table(table: str, config: Config, warehouse: Warehouse) -> list[str]:
    try:
        converted = _count(table, "time >= 100000000000", warehouse)
        interval = f"td_interval(time, '{config.read_interval}', '{config.day_timezone}')"
        unreadable = {
            column: _count(table, f"{interval} and {_is_unreadable(column)}", warehouse)
            for column in ("td_url", "td_referrer")
        }
    except MtaError:  # a table of another database, or dropped since
        return []
    sentences = []
    if converted:
        sentences.append(
            f"{converted} of the times of {table} are in milliseconds, microseconds or "
            "nanoseconds, not in seconds: each was converted to seconds by its size."
        )
    sentences += [
        f"{rows} of the values of {column} in {table} could not be read as a URL: "
        "they have no host."
        for column, rows in unreadable.items()
        if rows
    ]
    return sentences


def _is_unreadable(column: str) -> str:
    return (
        f"lower(trim({column})) not in ({_NO_REFERRER}) "
        f"and not regexp_like({column}, '{_READABLE}')"
    )


def _count(table: str, condition: str, warehouse: Warehouse) -> int:
    """How many rows of a table meet a condition."""
    result = warehouse.query(f"select count(*) from {table} where {condition}")
    return int(result.column(0)[0].as_py())
