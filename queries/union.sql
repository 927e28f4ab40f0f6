-- A row is a touch or a conversion of a user: a page view, form fill or order, with the channel and
-- source of the visit, or without them where the page was reached from a page of the same site.
-- Reads ${enriched_pageviews}, and where they are not none ${enriched_formfills} and ${orders_table}.
-- Makes ${union_table}.
-- Another source, a visit to a store for instance, is one more `union all` in `events` where it has
-- URLs, or else in the last step: time, user, channel, source, channel_source, campaign, conversion, value.
with

-- Rules: the first that fits a visit gives its channel, 'any' fits all. They are Google Analytics 4's
-- in its order, but for those from 70 to 73, at 139 and from 190 on, which are ours (docs/channels.md).
-- Medium and site are kinds of the lists below, campaign is shopping, cross-network or other.
rules (place, medium, site, campaign, channel) as (
    values
        (10, 'none', 'direct', 'any', 'Direct'),
        (20, 'any', 'any', 'cross-network', 'Cross-network'),
        (30, 'paid', 'shopping', 'any', 'Paid Shopping'),
        (31, 'paid', 'any', 'shopping', 'Paid Shopping'),
        (40, 'paid', 'search', 'any', 'Paid Search'),
        (50, 'paid', 'social', 'any', 'Paid Social'),
        (60, 'paid', 'video', 'any', 'Paid Video'),
        (70, 'shopping-ad', 'any', 'any', 'Paid Shopping'),
        (71, 'search-ad', 'any', 'any', 'Paid Search'),
        (72, 'social-ad', 'any', 'any', 'Paid Social'),
        (73, 'video-ad', 'any', 'any', 'Paid Video'),
        (80, 'display', 'any', 'any', 'Display'),
        (90, 'paid', 'any', 'any', 'Other Advertising'),
        (100, 'any', 'shopping', 'any', 'Organic Shopping'),
        (101, 'any', 'any', 'shopping', 'Organic Shopping'),
        (110, 'any', 'social', 'any', 'Social'),
        (111, 'social', 'any', 'any', 'Social'),
        (120, 'any', 'video', 'any', 'Organic Video'),
        (121, 'video', 'any', 'any', 'Organic Video'),
        (130, 'any', 'search', 'any', 'Organic Search'),
        (131, 'organic', 'any', 'any', 'Organic Search'),
        (139, 'site', 'webmail', 'any', 'Email'),
        (140, 'referral', 'any', 'any', 'Referral'),
        (150, 'any', 'email', 'any', 'Email'),
        (151, 'email', 'any', 'any', 'Email'),
        (160, 'affiliate', 'any', 'any', 'Affiliates'),
        (170, 'audio', 'any', 'any', 'Audio'),
        (180, 'any', 'sms', 'any', 'SMS'),
        (181, 'sms', 'any', 'any', 'SMS'),
        (182, 'push', 'any', 'any', 'Mobile Push Notifications'),
        (183, 'any', 'push', 'any', 'Mobile Push Notifications'),
        (190, 'any', 'webmail', 'any', 'Email'),
        (191, 'any', 'mailing', 'any', 'Email'),
        (192, 'site', 'any', 'any', 'Referral'),
        (193, 'like-social', 'any', 'any', 'Social'),
        (194, 'like-video', 'any', 'any', 'Organic Video'),
        (195, 'like-organic', 'any', 'any', 'Organic Search'),
        (196, 'like-referral', 'any', 'any', 'Referral'),
        (197, 'like-email', 'any', 'any', 'Email'),
        (198, 'like-affiliate', 'any', 'any', 'Affiliates'),
        (199, 'like-audio', 'any', 'any', 'Audio'),
        (200, 'like-sms', 'any', 'any', 'SMS'),
        (999, 'any', 'any', 'any', 'Other')
),

-- Kinds of utm_medium, in lower case: first what Google Analytics 4 names, then what people write.
-- A kind may be two. A medium in no list gets its kind from the expressions in `known`.
media_lists (kind, media) as (
    values
        ('none', '(none), (not set)'),
        ('paid', 'cpc, ppc, cpv, cpa, cpl, paid, retargeting'),
        ('paid display', 'cpm'),
        ('display', 'display, banner, expandable, interstitial'),
        ('social', 'social, social-network, social-media, sm, social network, social media'),
        ('organic', 'organic'),
        ('referral', 'referral, app, link'),
        ('email', 'email, e-mail, e_mail, e mail'),
        ('affiliate', 'affiliate, affiliates'),
        ('audio', 'audio'),
        ('sms', 'sms'),

        ('none', 'none, null, undefined, not set, direct, (direct)'),
        ('paid', 'ad, ads, advertising, advertisement, sponsored, sponsorship, remarketing, ppv'),
        ('paid search-ad', 'paid_search, paid-search, paidsearch, paid search, search_ads, sem, sea'),
        ('paid search-ad', 'adwords, googleads, google_ads, google-ads'),
        ('paid social-ad', 'paid_social, paid-social, paidsocial, paid social, social_paid, social-paid'),
        ('paid social-ad', 'socialpaid, social_ads, social-ads, socialads, cpc_social, social_cpc'),
        ('paid video-ad', 'paid_video, paid-video, paidvideo, paid video, trueview, preroll, pre-roll'),
        ('paid shopping-ad', 'paid_shopping, paid-shopping, paidshopping, paid shopping'),
        ('display', 'banners, display_ads, display-ads, displayads, gdn, native, native_ads'),
        ('display', 'programmatic, dsp, popup, pop-up, rich_media, richmedia'),
        ('like-social', 'social_media, socialmedia, social_network, social_organic, organic_social'),
        ('like-social', 'organic-social, organicsocial, organic social, smm, story, stories, reel'),
        ('like-social', 'influencer, community, facebook, instagram, linkedin, tiktok, twitter'),
        ('like-organic', 'organic_search, organic-search, organic search, seo'),
        ('like-video', 'youtube'),
        ('like-referral', 'referrer, referer, website, web, blog'),
        ('like-email', 'mail, mails, emails, e-mails, mailing, emailing, newsletter, newsletters, nl, edm'),
        ('like-email', 'e-newsletter, news_letter, news-letter, news letter, eblast'),
        ('like-affiliate', 'aff, affiliation, affiliate_marketing, affiliate-marketing, partner, partners'),
        ('like-affiliate', 'coupon, cashback'),
        ('like-audio', 'podcast, podcasts, radio'),
        ('like-sms', 'text, text_message, text-message, mms')
),

-- Kinds of sites: google.* is that site in every country with its subdomains, and utm_source=google.
-- Other entries are whole hosts without `www.` or `m.`, the names of apps, or what utm_source says.
site_lists (kind, sites) as (
    values
        ('search', 'google.*, bing.*, yahoo.*, duckduckgo.*, baidu.*, yandex.*, ecosia.*, naver.*, daum.*'),
        ('search', 'seznam.*, aol.*, ask.*, msn.*, qwant.*, sogou.*, dogpile.*, lycos.*, exalead.*, eniro.*'),
        ('search', 'rambler.*, onet.*, biglobe.*, kvasir.*, najdi.*, startsiden.*, virgilio.*, centrum.cz'),
        ('search', 'excite.com, search.brave.com, brave, startpage.*, swisscows.*, mojeek.*, kagi.com'),
        ('search', 'metager.*, presearch.*, so.com, 360.cn, go.mail.ru, tut.by, auone.*, rakuten.*, ya.ru'),
        ('search', 'search.ukr.net, search.smt.docomo.ne.jp, cse.google.com, search.google.com, cn.bing.com'),
        ('search', 'news.google.com, images.google.com, google-play, googlemybusiness, adwords, bingads'),
        ('search', 'ntp.msn.com, syndicatedsearch.goog, zen.yandex.ru, com.google.android.googlequicksearchbox'),
        ('shopping', 'amazon.*, ebay.*, etsy.*, walmart.*, alibaba.*, aliexpress.*, mercadolibre.*, shopzilla.*'),
        ('shopping', 'mercadolivre.*, shopify.*, google shopping, google_shopping, googleshopping, igshopping'),
        ('shopping', 'shop.app, simplycodes.com, shopping.naver.com, shopping.yahoo.com, shopping.yahoo.co.jp'),
        ('shopping', 'store.shopping.yahoo.co.jp, shopping.google.com, uk.shopping.net, nl.shopping.net'),
        ('shopping', 'amazon-adsystem.*, s3.amazonaws.com, idealo.*, kelkoo.*, geizhals.*, billiger.de, temu.*'),
        ('video', 'youtube.*, youtu.be, vimeo.*, dailymotion.*, twitch.*, netflix.*, hulu.*, disneyplus.*'),
        ('video', 'crackle.*, curiositystream.*, d.tube, iq.com, iqiyi.*, ted, ted.com, utreon.*, veoh.*'),
        ('video', 'wistia.*, youku.*, viadeo.journaldunet.com, bilibili.*, rumble.com, odysee.com, 544007664'),
        ('social', 'facebook.*, fb, fb_ads, fbads, fb.me, fb.com, meta, meta_ads, instagram.*, ig, ig_ads'),
        ('social', 'twitter.*, x, x.com, t.co, linkedin.*, lnkd.in, pinterest.*, pin.it, reddit.*, redd.it'),
        ('social', 'quora.*, tiktok.*, snapchat.*, tumblr.*, threads, threads.net, threads.com, whatsapp.*'),
        ('social', 'wa.me, telegram.*, t.me, messenger, messenger.com, line, line.me, wechat.*, weibo.*'),
        ('social', 'qzone.qq.com, vk.*, vkontakte.*, ok.ru, odnoklassniki.*, xing.*, slideshare.*'),
        ('social', 'discord.*, skype.*, viber, kakao.*, zalo.*, mastodon, mastodon.social'),
        ('social', 'bsky.app, bluesky, medium, medium.com, blogger.*, blogspot.*, wordpress.*, typepad.*'),
        ('social', 'weebly.*, livejournal.*, ameblo.jp, ameba.jp, hatena, b.hatena.ne.jp, d.hatena.ne.jp'),
        ('social', 'exblog.jp, fc2.*, mixi.jp, blog.naver.com, cafe.naver.com, kin.naver.com, nicovideo.*'),
        ('social', 'blog.goo.ne.jp, chiebukuro.yahoo.co.jp, answers.yahoo.com, groups.google.com, goo.gl'),
        ('social', 'sites.google.com, plus.google.com, plus.url.google.com, messages.google.com, google+'),
        ('social', 'googleplus, bit.ly, is.gd, tinyurl.*, hootsuite.*, tweetdeck.*, paper.li, flipboard.*'),
        ('social', 'getpocket.com, instapaper.*, digg.*, diigo.*, scoop.it, mix.com, slashdot.org, meneame.net'),
        ('social', 'news.ycombinator.com, flickr.*, imgur.*, deviantart.*, artstation.com, photobucket.*'),
        ('social', 'pixiv.net, fotolog.*, houzz.*, yelp.*, tripadvisor.*, foursquare.*, glassdoor.*, meetup.*'),
        ('social', 'nextdoor.*, badoo.*, tagged.com, myspace.*, renren.*, douban.*, dianping.*, stackexchange.*'),
        ('social', 'stackoverflow.*, superuser.com, serverfault.com, askubuntu.com, goodreads.*, wattpad.*'),
        ('social', 'librarything.*, scribd.*, issuu.*, academia.edu, researchgate.*, disqus.*, gutefrage.*'),
        ('social', 'wer-weiss-was.de, studivz.net, jappy.*, fandom.com, wikihow.com, wikitravel.org, buzzfeed.*'),
        ('social', 'smartnews.com, hubpages.com, last.fm, reverbnation.*, crunchyroll.*, myanimelist.net'),
        ('social', 'ravelry.*, allrecipes.com, epicurious.com, care2.*, cafemom.*, livedoor.com, yammer.*'),
        ('social', '284882215, 389801252, 333903271, 429047995, 288429040, 835599320, 1064216828, 447188370'),
        ('webmail', 'mail.google.com, mail.yahoo.com, outlook.live.com, outlook.office.com, hotmail.*, gmail'),
        ('webmail', 'outlook.office365.com, outlook.com, mail.ru, e.mail.ru, mail.aol.com, email.seznam.cz'),
        ('webmail', 'navigator.gmx.net, navigator.web.de, deref-gmx.net, deref-web.de, deref-mail.com'),
        ('webmail', 'com.google.android.gm, com.microsoft.office.outlook, protonmail.*, mail.proton.me'),
        ('email', 'email, e-mail, e_mail, e mail'),
        ('mailing', 'newsletter, newsletters, mailchimp, klaviyo, sendgrid, brevo, sendinblue, mailjet'),
        ('mailing', 'mailerlite, campaignmonitor, activecampaign, cleverreach, emarsys, constantcontact'),
        ('sms', 'sms'),
        ('push', 'firebase'),
        ('direct', '(direct), direct'),
        ('site', 'wikipedia.*, com.google.android.apps.docs, com.google.android.keep, com.google.android.calendar'),

        -- Where a visitor comes back from payment or login, and copies of the own pages: no touch.
        ('return', 'paypal.*, stripe.*, klarna.*, adyen.*, mollie.*, sofort.com, giropay.*, afterpay.*'),
        ('return', 'clearpay.*, affirm.com, sezzle.com, worldpay.*, braintreegateway.*, razorpay.*, payu.*'),
        ('return', 'squareup.com, 2checkout.com, authorize.net, cybersource.com, skrill.com, trustly.*'),
        ('return', 'payone.*, saferpay.*, datatrans.*, unzer.*, ratepay.*, multisafepay.*, ogone.*, redsys.*'),
        ('return', 'przelewy24.*, tpay.com, mercadopago.*, pagseguro.*, satispay.*, twint.*, paydirekt.*'),
        ('return', 'six-payment-services.*, bluesnap.com, gocardless.*, arcot.com, cardinalcommerce.*'),
        ('return', '3dsecure.*, securesuite.*, alipay.*, tenpay.*, checkout.com, checkout.shopify.com'),
        ('return', 'pay.amazon.com, payments.amazon.com, payments.amazon.de, payments.amazon.co.uk'),
        ('return', 'pay.google.com, billpay.*, accounts.google.com, accounts.youtube.com, login.live.com'),
        ('return', 'login.microsoftonline.com, appleid.apple.com, idmsa.apple.com, auth0.*, okta.*'),
        ('return', 'onelogin.*, amazoncognito.*, b2clogin.*, login.yahoo.com, api.twitter.com, bankid.*'),
        ('return', 'localhost, translate.*, web.archive.org')
),

-- Sources that are called otherwise than their hosts and apps.
site_names (site, source) as (
    values
        ('com.google.android.googlequicksearchbox', 'google'),
        ('com.google.android.gm', 'gmail'),
        ('mail.google.com', 'gmail'),
        ('544007664', 'youtube'),
        ('youtu.be', 'youtube'),
        ('284882215', 'facebook'),
        ('fb.me', 'facebook'),
        ('fb.com', 'facebook'),
        ('389801252', 'instagram'),
        ('333903271', 'twitter'),
        ('x.com', 'twitter'),
        ('t.co', 'twitter'),
        ('288429040', 'linkedin'),
        ('lnkd.in', 'linkedin'),
        ('429047995', 'pinterest'),
        ('pin.it', 'pinterest'),
        ('835599320', 'tiktok'),
        ('1064216828', 'reddit'),
        ('redd.it', 'reddit'),
        ('447188370', 'snapchat'),
        ('wa.me', 'whatsapp'),
        ('t.me', 'telegram'),
        ('line.me', 'line'),
        ('ok.ru', 'odnoklassniki')
),

-- Click identifiers, in lower case, one a line: what each says where the URL has no utm_source or no
-- utm_medium.
click_lines (click_lines) as (
    values '
        gclid           google      cpc
        gbraid          google      cpc
        wbraid          google      cpc
        gad_source      google      cpc
        gad_campaignid  google      cpc
        gclsrc          google      cpc
        dclid           google      display
        msclkid         bing        cpc
        yclid           yandex      cpc
        ttclid          tiktok      paid_social
        twclid          twitter     paid_social
        li_fat_id       linkedin    paid_social
        epik            pinterest   paid_social
        sccid           snapchat    paid_social
        rdt_cid         reddit      paid_social
        qclid           quora       paid_social
        tblci           taboola     native
        obclid          outbrain    native
        dicbo           outbrain    native
        vmcid           yahoo       display
        awc             awin        affiliate
        cjevent         cj          affiliate
        irclickid       impact      affiliate
        ransiteid       rakuten     affiliate
        sscid           shareasale  affiliate
        fbclid          facebook    social
        igshid          instagram   social
        igsh            instagram   social
        srsltid         google      organic
        ysclid          yandex      organic
        mc_cid          mailchimp   email
        mc_eid          mailchimp   email
        _hsenc          hubspot     email
        _hsmi           hubspot     email
        mkt_tok         marketo     email
        _kx             klaviyo     email
    '
),

click_list (click_list) as (
    select regexp_replace(regexp_replace(trim(click_lines), '\s*\n\s*', ','), ' +', ' ')
    from click_lines
),

click_ids (id, source, medium) as (
    select
        cast(split_part(line, ' ', 1) as varchar),
        split_part(line, ' ', 2),
        split_part(line, ' ', 3)
    from click_list
    cross join unnest(split(click_list, ',')) as listed (line)
),

-- Patterns that stand more than once below, and that of a click identifier in a URL.
patterns (click_id, authority, host, domain) as (
    select
        '[^-a-z0-9_%=.]('
        || replace(regexp_replace(click_list, ' [^ ,]+ [^ ,]+', ''), ',', '|') || ')=[^\&#?]',
        '^(?:[^:/?#]*:)?//([^/?#]*)',
        '^([-A-Za-z0-9]+\.[-A-Za-z0-9.]*[A-Za-z])(?:[/?#:]|$)',
        '([^.]+)\.(?:(?:com?|net|org|gov|edu|ac|or|ne|go|gob|nom|ltd|plc|me)\.[a-z]{2}'
        || '|[a-z][-a-z0-9]*)$'
    from click_list
),

media (medium, kind) as (
    select
        cast(listed.medium as varchar),
        max(media_lists.kind)
    from media_lists
    cross join unnest(split(media_lists.media, ', ')) as listed (medium)
    group by listed.medium
),

sites (site, kind, source) as (
    select
        cast(listed.site as varchar),
        max(site_lists.kind),
        max(site_names.source)
    from site_lists
    cross join unnest(split(site_lists.sites, ', ')) as listed (site)
    left join site_names on listed.site = site_names.site
    group by listed.site
),

-- What a visit is looked up by. A click identifier stands for its medium and its site.
known_media (medium, kind) as (
    select medium, kind from media
    union all
    select click_ids.id, media.kind from click_ids
    inner join media on click_ids.medium = media.medium
),

known_sites (site, kind, source) as (
    select site, kind, source from sites
    union all
    select click_ids.id, sites.kind, click_ids.source from click_ids
    left join sites on click_ids.source || '.*' = sites.site
),

-- Every combination of kinds with its channel: the rules, worked out once and not for each visit.
channels (kinds, channel) as (
    select
        cast(
            media_kinds.kind || '/' || site_kinds.kind || '/' || campaign_kinds.kind as varchar
        ),
        min_by(rules.channel, rules.place)
    from (
        select distinct kind from media_lists
        union
        select kind from (values 'site', 'video', 'push', 'other') as found (kind)
    ) as media_kinds
    cross join (
        select distinct kind from site_lists
        union
        select kind from (values 'other') as found (kind)
    ) as site_kinds
    cross join (values 'shopping', 'cross-network', 'other') as campaign_kinds (kind)
    inner join rules
        on (rules.medium = 'any'
            or strpos(' ' || media_kinds.kind || ' ', ' ' || rules.medium || ' ') > 0)
        and rules.site in ('any', site_kinds.kind)
        and rules.campaign in ('any', campaign_kinds.kind)
    group by media_kinds.kind, site_kinds.kind, campaign_kinds.kind
),

-- The column "none" stands in where a parameter names no column, this table where it names no table.
no_rows as (
    select
        cast(null as bigint) as time,
        cast(null as varchar) as "${input_user_column}",
        cast(null as varchar) as td_url,
        cast(null as varchar) as td_referrer,
        cast(null as varchar) as form_id
    from (values 1) as one_row (number)
    where number = 0
),

-- Times in seconds keep the plain condition, by which Treasure Data reads the days that it needs.
-- Those of other units are larger, and are cut to the interval at the end.
pageviews as (
    select *, cast(null as varchar) as "none"
    from ${enriched_pageviews}
    where td_interval(time, '${read_interval}', '${day_timezone}')

    union all

    select *, cast(null as varchar) as "none"
    from ${enriched_pageviews}
    where time >= 100000000000
),

formfills as (
    select *, cast(null as varchar) as "none"
    from ${enriched_formfills == 'none' ? 'no_rows' : enriched_formfills}
    where td_interval(time, '${read_interval}', '${day_timezone}')

    union all

    select *, cast(null as varchar) as "none"
    from ${enriched_formfills == 'none' ? 'no_rows' : enriched_formfills}
    where time >= 100000000000
),

events as (
    select
        time,
        cast("${input_user_column}" as varchar) as user_id,
        td_url,
        td_referrer,
        nullif(trim(cast("${pageviews_channel_column}" as varchar)), '') as given_channel,
        nullif(trim(cast("${pageviews_source_column}" as varchar)), '') as given_source,
        case
            when '${[conversion_url_pattern].join('').replace(/'/g, '$&$&')}' not in ('none', '')
                and regexp_like(td_url, '${[conversion_url_pattern].join('').replace(/'/g, '$&$&')}') then 1
            else 0
        end as conversion,
        cast(null as double) as value,
        cast(null as varchar) as order_id,
        cast("${tie_column}" as varchar) as tie,
        true as is_visit,
        ${control_columns.replace(/[A-Za-z0-9_]+/g, 'cast("$&" as varchar) as "control $&"')}
    from pageviews

    union all

    select
        time,
        cast("${input_user_column}" as varchar) as user_id,
        td_url,
        td_referrer,
        cast(null as varchar) as given_channel,
        cast(null as varchar) as given_source,
        case
            when '${[conversion_form_ids].join('').replace(/'/g, '$&$&')}' = '*' then 1
            when strpos(
                ',' || replace('${[conversion_form_ids].join('').replace(/'/g, '$&$&')}', ', ', ',') || ',',
                ',' || nullif(cast(form_id as varchar), '') || ','
            ) > 0 then 1
            when '${[conversion_url_pattern].join('').replace(/'/g, '$&$&')}' not in ('none', '')
                and regexp_like(td_url, '${[conversion_url_pattern].join('').replace(/'/g, '$&$&')}') then 1
            else 0
        end as conversion,
        cast("${enriched_formfills == 'none' ? 'none' : formfills_value_column}" as double) as value,
        cast("${orders_table == 'none' ? order_id : 'none'}" as varchar) as order_id,
        cast("${enriched_formfills == 'none' ? 'none' : tie_column}" as varchar) as tie,
        trim(coalesce(td_url, '') || coalesce(td_referrer, '')) <> '' as is_visit,
        ${control_columns.replace(/[A-Za-z0-9_]+/g, 'cast(null as varchar) as "control $&"')}
    from formfills
),

-- Plain searches, which read any text: Trino's URL functions give NULL for a URL with a blank or |.
-- The first value of a parameter that is not empty counts, wherever it stands.
searched as (
    select
        *,
        case when strpos(td_url, '=') > 0 then td_url end as url,
        lower(case when strpos(td_url, '=') > 0 then td_url end) as lower_url,
        coalesce(
            regexp_replace(
                trim(regexp_extract(td_referrer, (select authority from patterns), 1)),
                '^[^@]*@|:[0-9]*$'
            ),
            regexp_extract(trim(td_referrer), (select host from patterns), 1)
        ) as referrer
    from events
),

-- mtm_ and pk_ are Matomo's.
found as (
    select
        time,
        user_id,
        given_channel,
        given_source,
        regexp_extract(
            lower_url, '[^-a-z0-9_%=.](?:utm|mtm|pk)_medium=([^\&#?]+)', 1
        ) as medium_code,
        regexp_extract(
            lower_url, '[^-a-z0-9_%=.](?:utm|mtm|pk)_source=([^\&#?]+)', 1
        ) as source_code,
        regexp_extract(
            url,
            '[^-A-Za-z0-9_%=.](?:[uUmM][tT][mM]|[pP][kK])_'
            || '[cC][aA][mM][pP][aA][iI][gG][nN]=([^\&#?]+)',
            1
        ) as campaign_code,
        regexp_extract(lower_url, (select click_id from patterns), 1) as click_id,
        nullif(lower(referrer), '') as referrer,
        coalesce(
            regexp_extract(lower(referrer), (select domain from patterns)),
            lower(referrer)
        ) as referrer_domain,
        starts_with(td_referrer, 'android-app:') as is_app,
        referrer is null and regexp_like(coalesce(td_referrer, ''), '^ *[/?#]') as is_path,
        is_visit,
        conversion,
        value,
        order_id,
        tie,
        ${control_columns.replace(/[A-Za-z0-9_]+/g, '"control $&"')}
    from searched
),

-- Escapes are decoded, and a % that begins none stays, at which url_decode would fail: `50% off`.
tagged as (
    select
        time,
        user_id,
        given_channel,
        given_source,
        nullif(trim(lower(url_decode(replace(replace(
            regexp_replace(medium_code, '%([0-9A-Fa-f]{2})', chr(1) || '$1'), '%', '%25'), chr(1), '%')))), '') as utm_medium,
        nullif(trim(lower(url_decode(replace(replace(
            regexp_replace(source_code, '%([0-9A-Fa-f]{2})', chr(1) || '$1'), '%', '%25'), chr(1), '%')))), '') as utm_source,
        nullif(trim(url_decode(replace(replace(
            regexp_replace(campaign_code, '%([0-9A-Fa-f]{2})', chr(1) || '$1'), '%', '%25'), chr(1), '%'))), '') as campaign,
        click_id,
        referrer,
        referrer_domain,
        is_app,
        is_path,
        is_visit,
        conversion,
        value,
        order_id,
        tie,
        ${control_columns.replace(/[A-Za-z0-9_]+/g, '"control $&"')}
    from found
),

-- The hosts of the page views. A domain is the own site where it has a real share of them and is no
-- site of the lists, or where it has most of them.
pages as (
    select
        coalesce(
            regexp_extract(td_url, (select authority from patterns), 1),
            regexp_extract(trim(td_url), (select host from patterns), 1)
        ) as host
    from pageviews
    where '${own_domains}' = 'none'
),

page_hosts as (
    select
        host,
        count(*) as views
    from pages
    group by host
),

page_domains as (
    select
        regexp_extract(
            regexp_replace(trim(lower(host)), '^[^@]*@|:[0-9]*$'),
            (select domain from patterns)
        ) as domain,
        views,
        sum(views) over () as all_views
    from page_hosts
),

own_domains as (
    select
        domain
    from page_domains
    group by domain
    having sum(views) * 2 > max(all_views)
        or (
            sum(views) * 100 >= max(all_views)
            and sum(views) > 1
            and coalesce(
                element_at((select map_agg(site, kind) from sites), domain),
                element_at((select map_agg(site, kind) from sites), split_part(domain, '.', 1) || '.*')
            ) is null
        )
    limit 100000
),

-- A page view from an own page is no visit, but for one with parameters.
visits as (
    select
        tagged.time,
        tagged.user_id,
        tagged.given_channel,
        tagged.given_source,
        tagged.utm_medium,
        tagged.utm_source,
        tagged.campaign,
        tagged.click_id,
        tagged.is_tagged,
        tagged.referrer,
        own_domains.domain as own_domain,
        tagged.is_visit and (tagged.is_tagged or not (tagged.is_path or case
            when '${own_domains}' = 'none' then own_domains.domain is not null
            else coalesce(
                regexp_like(
                    tagged.referrer,
                    '(?:^|\.)(?:'
                    || replace(
                        replace(
                            regexp_replace(
                                replace(lower('${own_domains}'), ' ', ''),
                                '(^|,)(?:www\.|\*\.)',
                                '$1'
                            ),
                            '.',
                            '\.'
                        ),
                        ',',
                        '|'
                    )
                    || ')$'
                ),
                false
            )
        end)) as is_touch,
        tagged.is_app,
        tagged.conversion,
        tagged.value,
        tagged.order_id,
        tagged.tie,
        ${control_columns.replace(/[A-Za-z0-9_]+/g, 'tagged."control $&"')}
    from (
        select
            *,
            utm_medium is not null or utm_source is not null or campaign is not null
                or click_id is not null as is_tagged
        from tagged
    ) as tagged
    left join own_domains on tagged.referrer_domain = own_domains.domain
),

-- The site of a visit: what utm_source says, else the click identifier, else the referrer. An
-- identifier that is no ad's is of several sites: fbclid is on links in Instagram too.
sited as (
    select
        *,
        is_app and utm_source is null as is_app_site,
        regexp_replace(
            case
                when utm_source is not null then utm_source
                when is_tagged and click_id is not null
                    and (own_domain is not null or click_id not in ('fbclid', 'igshid', 'igsh'))
                    then click_id
                when is_touch then coalesce(referrer, click_id)
            end,
            '^(?:www[0-9]*|m|mobile|amp|touch|lm|l)\.'
        ) as site
    from visits
),

-- Its name: youtube of www.youtube.com, facebook of facebook_ads.
named as (
    select
        *,
        case
            when is_app_site then split_part(site, '.', 2)
            else coalesce(
                regexp_extract(site, (select domain from patterns), 1),
                regexp_extract(site, '^([a-z0-9+]+?)(?:ads?)?(?:[^a-z0-9+]|$)', 1)
            )
        end as name
    from sited
),

listed as (
    select
        *,
        element_at(
            (select map_agg(medium, kind) from known_media), coalesce(utm_medium, click_id)
        ) as listed_medium,
        element_at((select map_agg(site, kind) from known_sites), site) as listed_site,
        element_at((select map_agg(site, kind) from known_sites), name || '.*') as listed_name,
        element_at((select map_agg(site, source) from known_sites), site) as listed_source
    from named
),

-- Subdomains of a search engine are other services, but for those that are called search.
known as (
    select
        *,
        case
            when listed_medium is not null then listed_medium
            when utm_medium is not null then
                case
                    when regexp_like(utm_medium, '(?:cp|^paid).*social') then 'paid social-ad'
                    when regexp_like(utm_medium, '(?:cp|^paid).*search') then 'paid search-ad'
                    when regexp_like(utm_medium, '(?:cp|^paid).*video') then 'paid video-ad'
                    when regexp_like(utm_medium, 'cp|^paid|[^a-z]ads?$') then 'paid'
                    when regexp_like(utm_medium, 'video') then 'video'
                    when regexp_like(utm_medium, 'push$|mobile|notification') then 'push'
                    when regexp_like(utm_medium, 'display|banner') then 'display'
                    when regexp_like(utm_medium, 'social') then 'like-social'
                    when regexp_like(utm_medium, 'mail|newsletter') then 'like-email'
                    when regexp_like(utm_medium, 'affiliat') then 'like-affiliate'
                    else 'other'
                end
            when utm_source is null and site is not null then 'site'
            else 'none'
        end as medium_kind,
        case
            when listed_site is not null then listed_site
            when listed_name = 'search'
                and not is_app_site
                and site <> regexp_extract(site, (select domain from patterns))
                and not regexp_like(site, '(?:^|\.)(?:search|suche|images|lite|html)\.')
                then 'site'
            when listed_name is not null then listed_name
            when site is null then if(is_tagged, 'other', 'direct')
            when site = regexp_extract(site, (select domain from patterns)) then 'site'
            when regexp_like(site, '^(?:web|e|q)?mail[0-9]*\.') then 'webmail'
            when regexp_like(
                site,
                '^(?:accounts?|login|signin|sso|auth|oauth|idp|3ds|acs|pay|payments?|checkout)[0-9]*\.'
            ) then 'return'
            else 'site'
        end as site_kind,
        case
            when regexp_like(lower(campaign), 'cross-network') then 'cross-network'
            when regexp_like(lower(campaign), '(?:[^a-df-z]|^)shop|shopping') then 'shopping'
            else 'other'
        end as campaign_kind
    from listed
),

touchpoints as (
    select
        case
            when time >= 100000000000000000 then time / 1000000000
            when time >= 100000000000000 then time / 1000000
            when time >= 100000000000 then time / 1000
            else time
        end as seconds,
        user_id,
        case
            when given_channel is not null then given_channel
            when is_touch and (is_tagged or site_kind <> 'return') then element_at(
                (select map_agg(kinds, channel) from channels),
                medium_kind || '/' || site_kind || '/' || campaign_kind
            )
        end as channel,
        coalesce(
            given_source,
            utm_source,
            listed_source,
            named_source,
            site,
            'direct'
        ) as source,
        campaign,
        conversion,
        value,
        order_id,
        tie,
        ${control_columns.replace(/[A-Za-z0-9_]+/g, '"control $&"')}
    from (
        select
            *,
            case when site_kind = listed_name then name end as named_source
        from known
    ) as known
),

-- Times and values of orders may be text. Times are read as docs/limits.md says, but for names of months
-- and for days and months in either order. Each value stands for itself.
given_orders as (
    select *, cast(null as varchar) as "none"
    from ${orders_table == 'none' ? 'no_rows' : orders_table}
),

orders as (
    select
        upper(trim(cast("${orders_time_column == 'none' ? 'time' : orders_time_column}" as varchar))) as given_time,
        cast(
            "${orders_user_column == 'none' ? input_user_column : orders_user_column}" as varchar
        ) as user_id,
        case
            when typeof("${orders_table == 'none' ? 'none' : orders_value_column}") not like 'varchar%'
                then cast("${orders_table == 'none' ? 'none' : orders_value_column}" as double)
        end as number_value,
        case
            when typeof("${orders_table == 'none' ? 'none' : orders_value_column}") like 'varchar%'
                then lower(trim(replace(replace(
                    cast("${orders_table == 'none' ? 'none' : orders_value_column}" as varchar), chr(160), ' '), chr(8239), ' ')))
        end as value_text,
        cast("${orders_table == 'none' ? 'none' : order_id}" as varchar) as order_id
    from given_orders
),

-- Digits that write a date are no number.
order_numbers as (
    select
        *,
        case
            when regexp_like(
                given_time,
                '^(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:[0-9]{4}|[0-9]{6})?$'
            ) then null
            when regexp_like(given_time, '^-?(?:[0-9]{1,18}|[1-8][0-9]{18})$')
                then cast(given_time as bigint)
            when regexp_like(
                given_time, '^-?(?:[0-9]{1,17}[.][0-9]*|[0-9](?:[.][0-9]*)?E(?:[0-9]|1[0-7]))$'
            ) then cast(floor(cast(given_time as double)) as bigint)
        end as number
    from orders
),

-- What is no number becomes YYYY-MM-DD HH:MM:SS with an offset or without.
order_stamps as (
    select
        *,
        case when number is null then
        regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
            given_time,
            '^([0-9]{4})[-/.]([0-9])[-/.]', '$1-0$2-'),
            '^([0-9]{4})[-/.]([0-9]{2})[-/.]([0-9])($|[^0-9])', '$1-$2-0$3$4'),
            '^([0-9]{4})[-/.]?([0-9]{2})[-/.]?([0-9]{2})[T ]*', '$1-$2-$3 '),
            '^([-0-9]{10}) ([0-9]{2})([0-9]{2})([0-9]{2})', '$1 $2:$3:$4'),
            '^([-0-9]{10}) ([0-9]{2})([0-9]{2})', '$1 $2:$3'),
            '^([-0-9]{10}) ([0-9]):', '$1 0$2:'),
            '^([-0-9]{10}) ([0-9]{2}:[0-9]{2})($|[^:0-9])', '$1 $2:00$3'),
            '^([-0-9]{10}) ($|[-+Z]|UTC|GMT)', '$1 00:00:00$2') end as stamp,
        case
            when regexp_like(
                value_text, '^[-+]?(?:[0-9]+[.]?[0-9]*|[.][0-9]+)(?:e[-+]?[0-9]{1,2})?$'
            ) and '${decimal_mark}' <> 'comma' then ''
            when regexp_like(
                value_text, '^[-+(]?[^-+0-9.,()]*[-+]?[0-9.,]*[0-9][0-9.,]*-?[^-+0-9.,()]*[)]?$'
            ) then replace(replace(replace(replace(
                regexp_replace(value_text, '[-+0-9.,()]+', ''),
                ' ', ''), 'eur', '€'), 'usd', '$'), 'gbp', '£')
        end as currency,
        regexp_replace(value_text, '[^0-9.,]+', '') as digits
    from order_numbers
),

-- Days of Excel are counted from 1900.
order_clocks as (
    select
        *,
        min(nullif(currency, '')) over () as first_currency,
        max(nullif(currency, '')) over () as last_currency,
        case
            when number between 20000 and 79999
                then cast(floor((cast(given_time as double) - 25569e0) * 86400e0 + 0.5e0) as bigint)
            when regexp_like(
                stamp,
                '^[-0-9]{10} [0-9:]{8}(?:[.,][0-9]+)? ?(?:Z|UTC|GMT)?(?:[-+](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)?$'
            ) then cast(to_unixtime(try_cast(substr(stamp, 1, 19) as timestamp)) as bigint)
        end as clock,
        regexp_replace(
            regexp_extract(substr(stamp, 20), '(?:[-+][0-9:]+|Z|UTC|GMT)$'), '[A-Z:]+', ''
        ) as offset_text
    from order_stamps
),

-- A clock without an offset is that of ${day_timezone}: the offset of the day before, or of the day
-- after where only that one fits.
order_zones as (
    select
        *,
        clock - case
            when offset_text = '' then 0
            when offset_text is not null then
                cast(rpad(offset_text, 5, '0') as bigint) / 100 * 3600
                + cast(rpad(offset_text, 5, '0') as bigint) % 100 * 60
        end as by_offset,
        clock - (cast(to_unixtime(cast(at_timezone(
            from_unixtime(clock - 86400), '${day_timezone}'
        ) as timestamp)) as bigint) - (clock - 86400)) as by_day_before,
        clock - (cast(to_unixtime(cast(at_timezone(
            from_unixtime(clock + 86400), '${day_timezone}'
        ) as timestamp)) as bigint) - (clock + 86400)) as by_day_after
    from order_clocks
),

touches_and_orders as (
    select * from touchpoints
    where channel is not null or conversion = 1

    union all

    -- What cannot be read stops the query with a sentence, which is no number.
    select
        case
            when given_time is null or given_time = '' then null
            when by_offset is not null then by_offset
            when clock is not null then case
                when cast(to_unixtime(cast(at_timezone(
                    from_unixtime(by_day_before), '${day_timezone}'
                ) as timestamp)) as bigint) <> clock
                    and cast(to_unixtime(cast(at_timezone(
                        from_unixtime(by_day_after), '${day_timezone}'
                    ) as timestamp)) as bigint) = clock
                    then by_day_after
                else by_day_before
            end
            when number >= 100000000000000000 then number / 1000000000
            when number >= 100000000000000 then number / 1000000
            when number >= 100000000000 then number / 1000
            when number is not null then number
            when strpos(', ' || '${[null_words].join('').replace(/'/g, '$&$&')}' || ',', ', ' || lower(given_time) || ',') > 0 then null
            else cast(
                'table ${orders_table}, column ${orders_time_column == 'none' ? 'time' : orders_time_column} must hold times (unix seconds, '
                || 'milliseconds, 2024-03-04 09:00:00 and the like), got ''' || given_time
                || '''. Correct the column, or name another with orders_time_column' as bigint
            )
        end as seconds,
        user_id,
        cast(null as varchar) as channel,
        cast(null as varchar) as source,
        cast(null as varchar) as campaign,
        1 as conversion,
        case
            when value_text is null then number_value
            when value_text in ('', 'nan')
                or strpos(', ' || '${[null_words].join('').replace(/'/g, '$&$&')}' || ',', ', ' || value_text || ',') > 0 then null
            when first_currency <> last_currency then cast(cast(
                'table ${orders_table}, column ${orders_value_column} holds amounts in several '
                || 'currencies, such as ' || first_currency || ' and ' || last_currency
                || '. Convert them to one' as bigint
            ) as double)
            when currency = '' and regexp_like(value_text, '^[-+]?[.0-9]+(?:e[-+]?[0-9]+)?$')
                and '${decimal_mark}' <> 'comma' then cast(value_text as double)
            when regexp_like(currency, '^(?:|[a-z]{0,3}[$€£¥₹₩₽₺₪฿₫₴]|[a-z]{3}|kr|zł|kč)$') and (
                '${decimal_mark}' = 'comma' and regexp_like(digits, '^[.0-9]*(?:[0-9]|,[0-9]*)$')
                or '${decimal_mark}' = 'none'
                and regexp_like(digits, '^(?:[0-9]+|[1-9][0-9]{0,2}(?:[.][0-9]{3})+),(?:[0-9]{1,2})?$')
            ) then if(regexp_like(value_text, '-|[(]'), -1e0, 1e0)
                * cast(replace(replace(digits, '.', ''), ',', '.') as double)
            when regexp_like(currency, '^(?:|[a-z]{0,3}[$€£¥₹₩₽₺₪฿₫₴]|[a-z]{3}|kr|zł|kč)$') and (
                '${decimal_mark}' = 'point' and regexp_like(digits, '^[,0-9]*(?:[0-9]|[.][0-9]*)$')
                or '${decimal_mark}' = 'none'
                and regexp_like(digits, '^[0-9]+(?:[.](?:[0-9]{1,2})?)?$|^[1-9][0-9]{0,2}(?:,[0-9]{3})+[.][0-9]*$')
            ) then if(regexp_like(value_text, '-|[(]'), -1e0, 1e0)
                * cast(replace(digits, ',', '') as double)
            else cast(cast(
                'table ${orders_table}, column ${orders_value_column} must hold numbers, got '''
                || value_text || '''. Set decimal_mark to point or comma, or correct the column'
                as bigint
            ) as double)
        end as value,
        order_id,
        cast(null as varchar) as tie,
        ${control_columns.replace(/[A-Za-z0-9_]+/g, 'cast(null as varchar) as "control $&"')}
    from order_zones
)

-- An id is text without blanks around it. One that a table has as 1001.0, or as a number with a
-- fraction of zero, is 1001.
select
    seconds as "${time_column}",
    case
        when strpos(user_id, '.') = 0 then trim(user_id)
        when regexp_like(trim(user_id), '^-?[0-9]+\.0+$')
            then regexp_extract(trim(user_id), '^-?[0-9]+')
        when regexp_like(trim(user_id), '^-?[0-9]\.[0-9]{1,17}E[0-9]{1,2}$')
            and cast(user_id as double) between -9e15 and 9e15
            and cast(user_id as double) = floor(cast(user_id as double))
            then cast(cast(cast(user_id as double) as bigint) as varchar)
        else trim(user_id)
    end as "${unique_id}",
    channel as "${channel_col}",
    case when channel is not null then source end as "${source_col}",
    case
        when channel is null or source = 'direct' then channel
        else channel || ' ' || upper(substr(source, 1, 1)) || substr(source, 2)
    end as "${channel_source_col}",
    case when channel is not null then campaign end as campaign,
    conversion as "${conversion_column}",
    value
    -- Further columns that the model reads, under their own names.
    ${tie_column == 'none' ? '--' : ','} tie as "${tie_column}"
    ${order_id == 'none' ? '--' : ''}${order_id == tie_column ? '--' : ','} order_id as "${order_id}"
    ${control_columns == 'none' ? '--' : ','} ${control_columns.replace(/[A-Za-z0-9_]+/g, '"control $&" as "$&"')}
from touches_and_orders
where td_interval(seconds, '${read_interval}', '${day_timezone}')
