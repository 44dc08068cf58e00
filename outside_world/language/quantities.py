"""Reads every number of a post with its multiplier and unit: "120 т.км", "1 млн 250 тыс", "$12.5k", "850 т.р.".

What a number means for the car is decided elsewhere; here it only gets a value, a unit and a place.
"""

import re
from dataclasses import dataclass

from outside_world.language.text import Text

# Unit -> how it is written right after a number (and its multiplier). Order matters: the first that fits wins.
UNITS: list[tuple[str, str]] = [
    ("km", r"км\b(?!\s?/\s?[чh])\.?|km\b(?!\s?/\s?h)|kms\b|kilomet\w+|километр\w*|кэмэ|шакырым"),
    ("mi", r"mi\b|mls\b|miles?\b|мил[ьяеи]\b|мил\b"),
    ("speed", r"км\s?/\s?[чh]|km\s?/\s?h|kmh|mph"),
    ("power", r"л\.?\s?с\b\.?|лс\b|hp\b|bhp\b|ps\b|лошад\w*|к\.?с\.|kw\b|квт|кобыл\w*|сил\b|л/с"),
    ("torque", r"нм\b|nm\b|н\*м|н·м"),
    ("battery", r"квт[\s*·.-]?ч|kwh|а[\s/]?ч\b"),
    ("volume", r"литр\w*|литр\b|л\b(?!\.?\s?с)\.?|l\b(?!\s?h)|liter\w*|litre\w*|cc\b|см3|см\^3|куб\w*|см\s?куб\w*|tdi|tsi|tfsi|mpi|cdi|hdi|dci|crdi|turbo|dizel|diesel|дизель|бензин|petrol|vtec|v6\b|v8\b"),
    ("percent", r"%|процент\w*|percent"),
    ("monthly", r"(?:руб\w*|р\.?|₽|\$|€|£|usd|eur|тенге|тг)?\s?(?:/|в|за|per|a|p)\s?\.?(?:мес\w*|month|mo\b|mth|pcm)|pcm\b|p/m\b|pm\b"),
    ("time", r"лет\b|год[аи]?\b(?=\s(?:в|гарант|экспл|влад))|мес\w*|месяц\w*|дн\w*|час\w*|years? (?:old|warranty|ownership)|months?\b|days?\b|недел\w*|мин\b|минут\w*|hours?\b"),
    ("count", r"хоз\w*|владел\w*|собственник\w*|owners?\b|ключ\w*|keys?\b|комплект\w*|мест\w*|seats?\b|двер\w*|doors?\b|dr\b|ст\b\.?|ступ\w*|speed\b|подуш\w*|шт\b|человек\w*|раз\b|раза\b|передач\w*|цилиндр\w*|airbag\w*|pass\w*|комплекта|балл\w*|подписчик\w*|участник\w*|фото|ключа|x\b"),
    ("weight", r"кг\b|kg\b|тонн\w*|lbs?\b"),
    ("size", r"дюйм\w*|inch\w*|\"|см\b|cm\b|мм\b|mm\b|метр\w*|м\b(?!\w)|ft\b|mpg"),
    ("RUB", r"₽|руб\w*\.?|р\b\.?|rub\w*|rur\b|рос\w* руб\w*|деревян\w*"),
    ("KZT", r"₸|тенге\w*|тнг\b|тг\b|kzt\b|tenge\b|tg\b"),
    ("UAH", r"₴|грн\b\.?|гривен\w*|гривн\w*|uah\b"),
    ("BYN", r"byn\b|бел\w*\.? ?руб\w*|белруб\w*|б\.?р\.?\b"),
    ("USD", r"\$|usd\b|дол\b|долл?\w*|бакс\w*|у\.? ?е\b\.?|уе\b|dollars?\b|bucks?\b|зелен\w*|американск\w* руб\w*"),
    ("EUR", r"€|eur\b|euros?\b|евро\w*|ойро"),
    ("GBP", r"£|gbp\b|pounds?\b|quid\b|фунт\w*|стерлинг\w*"),
    ("GEL", r"₾|gel\b|лари\w*|lari\b"),
    ("AED", r"aed\b|dhs?\b|dirhams?\b|дирхам\w*|дирхем\w*|د\.إ"),
    ("PLN", r"zł|zl\b|pln\b|злот\w*|zlot\w*"),
    ("CZK", r"kč|kc\b|czk\b|крон\b|чешск\w*"),
    ("AMD", r"֏|amd\b|драм\w*|dram\b"),
    ("AZN", r"₼|azn\b|манат\w*"),
    ("UZS", r"uzs\b|сум\b|сумов|so'?m\b|sum\b|сўм"),
    ("KGS", r"kgs\b|сом\b|сомов|с[оo]м\b"),
    ("TJS", r"tjs\b|сомони"),
    ("MDL", r"mdl\b|лей\b|леев|lei\b"),
    ("RON", r"ron\b"),
    ("TRY", r"₺|try\b|лир\w*|tl\b"),
    ("ILS", r"₪|ils\b|nis\b|шекел\w*"),
    ("CNY", r"cny\b|rmb\b|юан\w*|yuan"),
    ("JPY", r"¥|jpy\b|иен\w*|йен\w*|yen\b"),
    ("KRW", r"₩|krw\b|вон\b|won\b"),
    ("INR", r"₹|inr\b|rupees?\b|rs\b|рупи\w*"),
    ("BGN", r"bgn\b|лв\b|лев\w?\b"),
    ("RSD", r"rsd\b|динар\w*"),
    ("HUF", r"huf\b|ft\.?\b|форинт\w*"),
    ("SEK", r"sek\b|kr\b"), ("NOK", r"nok\b"), ("DKK", r"dkk\b"), ("CHF", r"chf\b|франк\w*"),
    ("CAD", r"cad\b"), ("AUD", r"aud\b"), ("SAR", r"sar\b|riyal\w*"), ("QAR", r"qar\b"), ("ZAR", r"zar\b"), ("NGN", r"₦|ngn\b|naira"),
    ("GEORGIA", r"lari"),
]  # fmt: skip
CURRENCIES = frozenset(name for name, _ in UNITS if len(name) == 3 and name.isupper())
_UNIT = [(name, re.compile(rf"\s?[-(]?\s?(?:{pattern})")) for name, pattern in UNITS]
# A currency's sign or code before the number.
_SIGN_BEFORE = re.compile(
    r"(us\s?\$|c\$|cad\s?\$|a\$|\$|€|£|₽|₸|₴|₾|¥|₪|₺|₼|₹|֏|aed|dhs?\.?|usd|eur|gbp|kzt|pln|czk|gel|uah|byn|rub|chf|sek|nok|dkk|uzs|azn|amd|kgs|ngn|zar|sar|qar)\s?:?\s?$"
)
_SIGNS = {
    "us$": "USD", "c$": "CAD", "cad$": "CAD", "a$": "AUD", "$": "USD", "€": "EUR", "£": "GBP", "₽": "RUB", "₸": "KZT", "₴": "UAH",
    "₾": "GEL", "¥": "JPY", "₪": "ILS", "₺": "TRY", "₼": "AZN", "₹": "INR", "֏": "AMD", "dh": "AED", "dhs": "AED", "dhs.": "AED", "dh.": "AED",
}  # fmt: skip
_NUMBER = re.compile(
    r"(?<![\w+#№])(?<!\d[.,/-])"
    r"(\d{1,3}(?:[ .,']\d{3})+(?![\d])|\d+[.,]\d+|\d+)"
)
_THOUSAND = re.compile(
    r"\s?(?:тыс\b\.?(?:яч\w*)?|tys\w*\.?|тысяч\w*|тыщ\w*|тис\b\.?|тисяч\w*|косар\w*|кусков|штук\b(?= ?(?:баксов|евро|зелен|\$|€|руб))|thousand\w*|thou\b|grand\b|мын\b|мыннан|минг\b|ming\b"
    r"|[кk]\b(?![кk])|[кk](?=км|km|mi\b|miles|usd|eur|\$|€|£|₽|руб|aed)|т\.?\s?(?=км|р\.|р\b|руб|тенге|тг|\$|€)|т\b\.?(?!\s?[а-я]/)|tkm\b|тыр\b|тырк?\w*|тр\b|т/р\b|ткм\b|тык\b)"
)
_MILLION = re.compile(r"\s?(?:млн\b\.?|миллион\w*|мильон\w*|милион\w*|мільйон\w*|миль[ей]он\w*|лям\w*|лимон\w*|мульт\w*|мил\b\.?|мл\b\.?|кк\b|kk\b|mln\b\.?|mio\b\.?|million\w*|m\b(?!\s?\d)|м\b(?=\.?\s?(?:руб|р\.|₽|тенге|тг)))")


@dataclass(frozen=True)
class Quantity:
    """A number as written: `value` with the multiplier applied; `digits` how many the bare number had."""

    value: float
    start: int
    end: int
    unit: str | None
    scaled: bool
    decimal: bool
    grouped: bool
    digits: int

    @property
    def is_money(self) -> bool:
        """Whether a currency stands beside it."""
        return self.unit in CURRENCIES


def find_quantities(text: Text) -> list[Quantity]:
    """Every number, in order."""
    found: list[Quantity] = []
    position = 0
    while match := _NUMBER.search(text.low, position):
        found.append(_read(text.low, match))
        position = max(match.end(), found[-1].end)
    return found


def _read(low: str, match: re.Match[str]) -> Quantity:
    written = match[1]
    value, decimal, grouped = _value(written, low[match.end() :])
    end, scale = match.end(), 1
    if value < 1000 and (million := _MILLION.match(low, end)):
        end, scale = million.end(), 1_000_000
        rest = re.compile(r"[\s,и]{0,3}(\d{1,3})(?:\s?(?:тыс\w*\.?|тыщ\w*|т\.?\s?р\b\.?|к\b|тис\w*\.?|мын\w*)|(?=[\s.,!;)]|$)(?!\s?(?:км|km|000)))").match(low, end)
        if rest and not decimal:
            value += float(rest[1]) / 1000 if len(rest[1]) == 3 or "т" in rest[0] or "к" in rest[0] else 0
            end = rest.end() if len(rest[1]) == 3 or "т" in rest[0] or "к" in rest[0] else end
            end = end - 1 if low[end - 1] == "р" else end
    elif value < 10_000 and not _looks_like_year(value, low, end) and (thousand := _THOUSAND.match(low, end)):
        end, scale = thousand.end(), 1_000
    if dash := re.compile(r"(?:[,.]|/)\s?-{1,2}(?=\s|$)").match(low, end):
        end = dash.end()  # "15.900,- EUR"
    unit = None
    if scale == 1_000 and re.search(r"тр$|т/р$|тыр", low[match.end() : end]):
        unit = "RUB"
    elif scale == 1_000 and re.search(r"(?:ткм|tkm)$", low[match.end() : end]):
        unit = "km"
    else:
        for name, pattern in _UNIT:
            if after := pattern.match(low, end):
                unit, end = name, after.end()
                break
    start = match.start()
    sign = _SIGN_BEFORE.search(low, max(0, start - 8), start)
    if sign and (unit is None or unit not in ("km", "mi", "monthly")) and not low[:sign.start()].endswith(tuple("0123456789")):
        code = sign[1].replace(" ", "")
        unit, start = _SIGNS.get(code, code.upper()), sign.start()
    return Quantity(round(value * scale, 2), start, end, unit, scale > 1, decimal, grouped, len(re.sub(r"\D", "", written)))


def _looks_like_year(value: float, low: str, end: int) -> bool:
    """"2015 к …" is a year and a preposition, "2015к" is money."""
    return 1950 <= value <= 2030 and low[end : end + 1] == " "


def _value(written: str, following: str) -> tuple[float, bool, bool]:
    """The number, whether it has a decimal part, whether its thousands are set apart."""
    if re.fullmatch(r"\d{1,3}(?:[ .,']\d{3})+", written):
        single = re.fullmatch(r"(\d{1,3})[.,](\d{3})", written)
        if single and (single[1] == "0" or re.match(r"\s?(?:млн|миллион|лям|mln|million|m\b)", following)):
            return float(f"{single[1]}.{single[2]}"), True, False
        return float(re.sub(r"\D", "", written)), False, True
    if re.fullmatch(r"\d+[.,]\d+", written):
        return float(written.replace(",", ".")), True, False
    return float(written), False, False
