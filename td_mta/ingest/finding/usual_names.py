"""The names that people and exports give the columns of touchpoints, one table for each role.

Names are `plain`: lower case, words joined by `_`. A role takes the first row of which the table
has a column; two columns of one row are as good as each other, so content decides, or the user.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Role:
    """What a column can be, the parameter that names it, and its usual names."""

    name: str
    parameter: str
    rows: Sequence[Sequence[str]]
    part: str  # a pattern in names that no row has
    not_part: str  # a pattern in names that say something else

    def has_part(self, column: str) -> bool:
        """Whether a part of the column's name says that it is this."""
        return bool(re.search(self.part, plain(column))) and not self.is_other(column)

    def is_other(self, column: str) -> bool:
        """Whether a part of the column's name says that it is something else."""
        return bool(re.search(self.not_part, plain(column)))


USER = Role(
    "user",
    "user_column",
    (
        (
            *("user_id", "userid", "uid", "user", "customer_id", "customerid", "customer"),
            *("client_id", "clientid", "client", "visitor_id", "visitorid", "visitor"),
            *("cookie_id", "cookie", "person_id", "contact_id", "profile_id", "subscriber_id"),
            *("member_id", "lead_id", "distinct_id", "amplitude_id", "device_id", "canonical_id"),
            *("user_pseudo_id", "anonymous_id", "domain_userid", "idvisitor", "mcvisid"),
            *("full_visitor_id", "fullvisitorid", "td_client_id", "visitor_key", "user_key"),
            *("kunden_id", "kundennummer", "kundennr", "kunde", "nutzer_id", "besucher_id"),
            *("id_client", "utilisateur", "id_utilisateur", "id_cliente", "cliente", "usuario"),
            *("id_usuario", "id_utente", "klant_id", "klantnummer"),
        ),
        ("ecid", "network_userid", "account_id", "household_id", "customer_email", "user_email"),
        ("email", "e_mail", "mail", "phone", "journey_id", "path_id", "user_name", "username"),
        ("session_id", "domain_sessionid", "visit_id", "id"),
    ),
    r"user|customer|client|visitor|cookie|person|kunde|nutzer|besucher|cliente|usuario",
    r"agent|type|name|segment|country|city|age|gender|first|new|returning|time|date|ip",
)
TIME = Role(
    "time",
    "time_column",
    (
        *(("event_timestamp",), ("timestamp",), ("collector_tstamp",), ("derived_tstamp",)),
        *(("server_time",), ("hit_time_gmt",), ("event_time",), ("touch_time",), ("time",)),
        *(("touchpoint_time", "interaction_time", "visit_time", "session_start_time"),),
        *(("datetime", "date_time", "event_datetime"), ("ts", "tstamp", "unix_time", "epoch")),
        *(("occurred_at", "touched_at", "started_at", "session_start"), ("created_at",)),
        *(("received_at",), ("original_timestamp",), ("sent_at",), ("zeitpunkt", "zeitstempel")),
        *(("zeit",), ("event_date",), ("date",), ("day",), ("datum",), ("tag",), ("fecha",)),
        *(("date_heure", "horodatage"), ("fecha_hora",), ("heure",), ("hora",), ("data",)),
    ),
    r"time|date|tstamp|_at$|^at$|datum|zeit|fecha",
    r"previous|prev|first|last|birth|expir|update|modif|conver|since|zone|offset|server_ts"
    r"|load|etl|dvce|sent|engagement|duration|spent|on_site|set_timestamp|time_of|lifetime",
)
CHANNEL = Role(
    "channel",
    "action_column",
    (
        *(("channel",), ("channels",), ("marketing_channel", "traffic_channel", "media_channel")),
        ("session_default_channel_group", "session_default_channel_grouping"),
        ("default_channel_group", "default_channel_grouping", "channel_group", "channelgrouping"),
        ("channel_grouping", "channelgroup", "channel_name", "channel_source"),
        ("kanal", "kanaal", "marketing_kanal", "marketingkanal", "canal", "canale"),
        ("touchpoint", "touchpoints", "touch_point", "touch", "touchpoint_type"),
        (
            "medium",
            "utm_medium",
            "session_medium",
            "mkt_medium",
            "traffic_medium",
            "campaign_medium",
        ),
        ("context_campaign_medium", "traffic_source_medium", "referer_type", "referrer_type"),
        ("source_medium", "session_source_medium"),
        ("source", "utm_source", "session_source", "mkt_source", "traffic_source", "utm_src"),
        ("context_campaign_source", "campaign_source", "traffic_source_source", "quelle"),
        ("campaign", "utm_campaign", "mkt_campaign", "campaign_name", "campaign_id", "kampagne"),
        ("context_campaign_name", "session_campaign", "referer_name"),
        ("interaction", "interaction_type", "platform", "publisher", "site"),
    ),
    r"channel|kanal|canal",
    r"date|time|id$|cost|spend|count|number|position",
)
CONVERSION = Role(
    "conversion",
    "conversion_column",
    (
        ("conversion", "converted", "is_conversion", "is_converted", "has_converted"),
        ("conversion_flag", "conversion_event", "conversions", "converts", "conv", "is_conv"),
        ("konversion", "konvertiert", "conversao", "conversione", "converti", "convertido"),
        ("purchase", "purchased", "is_purchase", "has_purchased", "bought", "sale", "sold"),
        ("ordered", "is_order", "has_order", "gekauft", "kauf", "bestellung", "achat", "compra"),
        ("goal", "goal_completed", "target", "label", "success", "outcome", "response"),
        ("event_name",),
        ("event",),
        ("event_type", "eventtype", "eventname", "se_action", "event_action", "activity"),
        ("interaction", "interaction_type", "action", "action_type", "hit_type", "type"),
    ),
    r"conver|purchas|konver",
    r"value|revenue|amount|time|date|_at$|_id$|^id|rate|type_of|window|path|count|total",
)
VALUE = Role(
    "value",
    "value_column",
    (
        ("conversion_value", "order_value", "purchase_value", "transaction_value"),
        ("value", "revenue", "purchase_revenue", "order_revenue", "transaction_revenue"),
        ("purchase_revenue_in_usd", "ecommerce_purchase_revenue", "event_value_in_usd"),
        ("order_total", "order_amount", "total_price", "tr_total", "revenue_usd", "value_usd"),
        ("amount", "total", "price", "sales", "turnover", "gross_revenue", "net_revenue"),
        ("umsatz", "bestellwert", "warenkorb", "betrag", "wert", "erloes"),
        ("chiffre_d_affaires", "montant", "valeur", "importe", "valor", "monto", "ingresos"),
        ("fatturato", "importo", "valore", "omzet", "bedrag"),
    ),
    r"revenue|umsatz|order_value|amount",
    r"cost|spend|tax|discount|shipping|refund|currency",
)
ROLES = (USER, TIME, CHANNEL, CONVERSION, VALUE)

# What a column of event names holds where a row converts; the first row of which it has a value.
CONVERTING_EVENTS = (
    (
        *("purchase", "purchased", "ecommerce_purchase", "in_app_purchase", "purchase_completed"),
        *("order_completed", "completed_order", "order_complete", "order_placed", "placed_order"),
        *("order", "checkout_completed", "checkout_complete", "completed_checkout", "transaction"),
        *("tr", "buy", "bought", "sale", "sold", "payment_completed", "kauf", "bestellung"),
        *("achat", "compra", "acquisto", "aankoop"),
    ),
    ("conversion", "converted", "convert", "goal", "goal_completed"),
    (
        *("lead", "generate_lead", "lead_generated", "sign_up", "signup", "signed_up"),
        *("form_submit", "submit_form", "form_submission", "form_submitted", "registration"),
        *("complete_registration", "registered", "subscribe", "subscribed", "book_demo"),
    ),
)


def plain(name: str) -> str:
    """A name in lower case, its words joined by `_`, without units and currencies in brackets.

    >>> plain("User ID"), plain("customerId"), plain("Order Value (EUR)"), plain("UTM_Source")
    ('user_id', 'customer_id', 'order_value', 'utm_source')
    """
    without_unit = re.sub(r"\([^)]*\)|\[[^]]*\]", " ", name)
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", without_unit)
    return re.sub(r"[\W_]+", "_", words.casefold()).strip("_")
