"""The names that people and exports give the columns of touchpoints, one table for each role.

Names are `plain`: lower case without accents, words joined by `_`. A role takes the first row of
which the table has a column; two columns of one row are as good as each other, so content decides,
or the user.
"""

import re
import unicodedata
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
            *("identifiant", "visiteur", "visitante", "visitatore", "klant", "bezoeker"),
            *("id_usuario", "id_utente", "utente", "klant_id", "klantnummer", "gebruiker_id"),
            *("klient_id", "uzytkownik", "kullanici", "anvandare", "kund_id", "brugerid"),
            *("用户id", "用户_id", "用户", "客户id", "客户", "会员id", "访客id", "用户编号"),
            *("ユーザーid", "ユーザー_id", "ユーザー", "顧客id", "顧客", "会員id", "会員番号"),
            *("사용자id", "사용자_id", "사용자", "고객id", "고객", "회원id", "회원번호"),
            *("пользователь", "id_пользователя", "клиент", "id_клиента", "покупатель"),
        ),
        (
            "customer_user_id",
            "appsflyer_id",
            "apps_flyer_id",
            "kochava_device_id",
            "adid",
            "gps_adid",
            "idfa",
        ),
        (
            "advertising_id",
            "external_id",
            "braze_id",
            "mparticle_id",
            "profile",
            "person",
            "member",
        ),
        ("ecid", "network_userid", "account_id", "household_id", "customer_email", "user_email"),
        ("email", "e_mail", "mail", "phone", "journey_id", "path_id", "user_name", "username"),
        ("session_id", "domain_sessionid", "visit_id", "id"),
    ),
    r"user|customer|client|visitor|cookie|person|kunde|nutzer|besucher|cliente|usuario|gebruiker"
    r"|用户|客户|会员|访客|ユーザー|顧客|会員|사용자|고객|회원|пользовател|клиент|покупател",
    r"agent|type|name|segment|country|city|age|gender|first|new|returning|time|date|ip"
    r"|类型|名称|城市|年龄|性别|时间|日期|種別|年齢|性別|日時|유형|나이|성별|тип|возраст|дата",
)
TIME = Role(
    "time",
    "time_column",
    (
        *(("event_timestamp",), ("timestamp",), ("derived_tstamp",), ("collector_tstamp",)),
        *(("server_time",), ("hit_time_gmt",), ("event_time",), ("touch_time",), ("time",)),
        *(("touchpoint_time", "interaction_time", "visit_time", "session_start_time"),),
        *(("touch_timestamp", "touchpoint_timestamp", "touch_at", "touchpoint_at", "visited_at"),),
        *(("datetime", "date_time", "event_datetime"), ("ts", "tstamp", "unix_time", "epoch")),
        *(("occurred_at", "touched_at", "started_at", "session_start"), ("created_at",)),
        *(("first_responded_date",), ("received_at",), ("original_timestamp",), ("sent_at",)),
        *(("zeitpunkt", "zeitstempel"),),
        *(("zeit",), ("event_date",), ("date",), ("day",), ("datum",), ("tag",), ("fecha",)),
        *(("date_heure", "horodatage"), ("fecha_hora", "data_hora", "data_ora", "dia_hora")),
        *(("heure",), ("hora",), ("ora",), ("tijd",), ("tijdstip",), ("czas",), ("tid",)),
        *(("data",), ("tarih",), ("dato",), ("时间戳", "时戳"), ("访问时间", "时间"), ("日期",)),
        *(("タイムスタンプ",), ("日時", "訪問日時"), ("時刻", "時間"), ("日付",)),
        *(("타임스탬프",), ("일시", "방문일시"), ("시간",), ("날짜", "일자")),
        *(("дата_и_время", "дата_время"), ("время",), ("дата",)),
    ),
    r"time|date|tstamp|_at$|^at$|datum|zeit|fecha|时间|日期|时戳|日時|日付|시간|날짜|일시|время|дата",
    r"previous|prev|first|last|birth|expir|update|modif|conver|since|zone|offset|server_ts"
    r"|load|etl|dvce|sent|engagement|duration|spent|on_site|set_timestamp|time_of|lifetime"
    r"|更新|修改|注册|出生|时长|转化时间|更新日|登録|生年|가입|생일|수정|рожд|регистр|измен",
)
CHANNEL = Role(
    "channel",
    "action_column",
    (
        *(("channel",), ("channels",), ("marketing_channel", "traffic_channel", "media_channel")),
        ("session_default_channel_group", "session_default_channel_grouping"),
        ("default_channel_group", "default_channel_grouping", "channel_group", "channelgrouping"),
        ("channel_grouping", "channelgroup", "channel_name", "channel_source"),
        ("kanal", "kanaal", "marketing_kanal", "marketingkanal", "canal", "canale", "kanał"),
        (
            *("渠道", "渠道名称", "营销渠道", "推广渠道"),
            *("チャネル", "チャンネル", "流入元", "流入チャネル"),
        ),
        ("채널", "유입채널", "유입_채널", "마케팅채널", "канал", "рекламныи_канал"),
        ("touchpoint", "touchpoints", "touch_point", "touch", "touchpoint_type"),
        (
            *("medium", "utm_medium", "session_medium"),
            *("mkt_medium", "traffic_medium", "campaign_medium"),
        ),
        ("context_campaign_medium", "traffic_source_medium", "referer_type", "referrer_type"),
        ("source_medium", "session_source_medium"),
        (
            "source",
            "utm_source",
            "session_source",
            "mkt_source",
            "traffic_source",
            "utm_src",
            "src",
        ),
        ("media_source",),
        ("context_campaign_source", "campaign_source", "traffic_source_source", "quelle"),
        ("referrer_source", "referer_source", "acquisition_source", "lead_source", "fuente"),
        ("fonte", "origem", "origen", "来源", "流量来源", "媒体", "参照元", "유입경로", "источник"),
        ("campaign", "utm_campaign", "mkt_campaign", "campaign_name", "campaign_id", "kampagne"),
        ("context_campaign_name", "session_campaign", "referer_name"),
        ("interaction", "interaction_type", "platform", "publisher", "site"),
    ),
    r"channel|kanal|canal|渠道|チャネル|チャンネル|채널|канал",
    r"date|time|id$|cost|spend|count|number|position|费用|成本|数|費用|비용|расход",
)
CONVERSION = Role(
    "conversion",
    "conversion_column",
    (
        ("conversion", "converted", "is_conversion", "is_converted", "has_converted"),
        ("conversion_flag", "conversion_event", "conversions", "converts", "conv", "is_conv"),
        ("konversion", "konvertiert", "conversao", "conversione", "converti", "convertido"),
        ("conversie", "geconverteerd", "konwersja", "donusum", "konvertering", "converteu"),
        ("是否转化", "转化", "是否成交", "是否购买", "是否下单", "转换", "轉換", "是否轉換"),
        (
            *("コンバージョン", "cv", "成果", "購入", "전환"),
            *("전환여부", "구매", "구매여부", "конверсия"),
        ),
        ("purchase", "purchased", "is_purchase", "has_purchased", "bought", "sale", "sold"),
        ("ordered", "is_order", "has_order", "gekauft", "kauf", "bestellung", "achat", "compra"),
        ("acquisto", "aankoop", "zakup", "kop", "购买", "成交", "покупка", "заказ", "купил"),
        ("orders", "purchases", "transactions", "placed_order", "order_placed", "order_completed"),
        ("signed_up", "signup", "subscribed", "deal_won", "closed_won", "won"),
        ("goal", "goal_completed", "target", "label", "success", "outcome", "response"),
        ("event_name",),
        ("event",),
        ("event_type", "eventtype", "eventname", "se_action", "event_action", "activity"),
        ("interaction", "interaction_type", "action", "action_type", "hit_type", "type"),
    ),
    r"conver|purchas|konver|转化|コンバージョン|전환|конверси",
    r"value|revenue|amount|time|date|_at$|_id$|^id|rate|type_of|window|path|count|total"
    r"|值|金|率|时间|日期|数|路径|価値|額|日|값|금액|율|수$|경로|ценност|сумм|дата|врем|стоимост",
)
VALUE = Role(
    "value",
    "value_column",
    (
        ("conversion_value", "order_value", "purchase_value", "transaction_value"),
        ("value", "revenue", "purchase_revenue", "order_revenue", "transaction_revenue"),
        ("purchase_revenue_in_usd", "ecommerce_purchase_revenue", "event_value_in_usd"),
        (
            "order_total",
            "order_amount",
            "order_amt",
            "total_price",
            "tr_total",
            "revenue_usd",
            "value_usd",
        ),
        ("amount", "total", "price", "sales", "turnover", "gross_revenue", "net_revenue", "rev"),
        ("conversion_wert", "conversionwert", "bestellwert", "warenkorbwert", "bestellsumme"),
        ("umsatz", "warenkorb", "betrag", "wert", "erloes", "erlos", "summe"),
        ("valeur_de_conversion", "chiffre_d_affaires", "montant", "valeur", "revenu", "recette"),
        ("valor_de_conversion", "importe", "ingresos", "monto", "ventas", "facturacion"),
        ("valor_de_conversao", "valor_da_conversao", "receita", "faturamento", "valor"),
        ("valore_conversione", "valore_di_conversione", "fatturato", "importo", "ricavi", "valore"),
        ("conversiewaarde", "orderwaarde", "omzet", "bedrag", "waarde", "przychod", "wartosc"),
        ("kwota", "gelir", "tutar", "ciro", "intakt", "belopp", "ordervarde", "varde"),
        (
            *("转化值", "转化价值", "转化金额", "轉換價值"),
            *("订单金额", "成交金额", "支付金额", "下单金额"),
        ),
        ("销售额", "成交额", "营收", "收入", "金额", "价值", "價值", "金額", "訂單金額"),
        (
            *("コンバージョン値", "コンバージョン価値", "売上", "売上金額"),
            *("売上高", "購入金額", "注文金額"),
        ),
        ("収益", "価値", "전환가치", "전환값", "전환_가치", "주문금액", "구매금액", "결제금액"),
        ("매출", "매출액", "금액", "수익", "ценность_конверсии", "выручка", "сумма_заказа"),
        ("доход", "сумма", "стоимость_заказа"),
    ),
    r"revenue|umsatz|order_value|amount|转化值|价值|金额|销售额|金額|売上|매출|금액|выручк|сумм|доход",
    r"cost|spend|tax|discount|shipping|refund|currency"
    r"|成本|费用|花费|退款|折扣|税|運費|費用|비용|환불|할인|расход|затрат|скидк|возврат|валют",
)
ROLES = (USER, TIME, CHANNEL, CONVERSION, VALUE)

# What a column of event names holds where a row converts; the first row of which it has a value.
CONVERTING_EVENTS = (
    (
        *("purchase", "purchased", "ecommerce_purchase", "in_app_purchase", "purchase_completed"),
        *("order_completed", "completed_order", "order_complete", "order_placed", "placed_order"),
        *("order", "checkout_completed", "checkout_complete", "completed_checkout", "transaction"),
        *("tr", "buy", "bought", "sale", "sold", "payment_completed", "kauf", "bestellung"),
        *("completed_purchase", "purchase_complete", "purchase_success", "order_confirmed"),
        *("order_confirmation", "order_success", "transaction_completed", "complete_payment"),
        *("transaction_confirmation", "af_purchase", "fb_mobile_purchase", "closed_won"),
        *("achat", "compra", "acquisto", "aankoop", "zakup", "购买", "下单", "支付", "成交"),
        *("購入", "注文", "구매", "주문", "결제", "покупка", "заказ"),
    ),
    ("conversion", "converted", "convert", "goal", "goal_completed", "转化", "전환", "конверсия"),
    (
        *("lead", "generate_lead", "lead_generated", "sign_up", "signup", "signed_up"),
        *("form_submit", "submit_form", "form_submission", "form_submitted", "registration"),
        *("complete_registration", "registered", "subscribe", "subscribed", "book_demo"),
    ),
)


def plain(name: str) -> str:
    """A name in lower case without accents, its words joined by `_`, units in brackets left out.

    >>> plain("User ID"), plain("customerId"), plain("Order Value (EUR)"), plain("Conversão")
    ('user_id', 'customer_id', 'order_value', 'conversao')
    """
    without_unit = re.sub(r"\([^)]*\)|\[[^]]*\]", " ", unicodedata.normalize("NFKD", name))
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", without_unit)
    without_accents = re.sub(r"[\u0300-\u036f]", "", words.casefold())
    return re.sub(r"[\W_]+", "_", unicodedata.normalize("NFC", without_accents)).strip("_")
