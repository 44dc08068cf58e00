"""Decides whether a post offers a whole car for sale: evidence for it is added up, what speaks against it is named."""

import re
from dataclasses import dataclass

from outside_world.language.cars import Mention
from outside_world.language.extraction import Reading, read
from outside_world.language.text import Text

ENOUGH = 5.0
_SELLS = re.compile(
    r"\bproda\w+|\bпрода(?:м|ю|ем|ет|ется|ются|жа|ж|вать|емся|ваем)\b|\bпрадам|\bпрода[её]тся|\bпродажа\b|\bв продаже\b|\bотда(?:м|ю|ем)\b|\bреализу\w+|\bуступлю\b|\bпереуступ\w+|\bсатамын|\bсатылады|\bсатам\b|\bв наличии\b"
    r"|\bищет нового (?:хозяина|владельца)|\bselling\b|\bfor sale\b|\bfs\b|\bwts\b|\bsell my\b|\bup for sale|\bsale\b|\basking\b|\bneeds? a new (?:home|owner)|\boffered\b|\bsell\b|\bpriced to|\bпродати|\bобмен или продажа"
)
_OBJECT_CAR = r"\b(?:авто(?:мобил\w*)?|машин\w*|тачк\w*|ласточк\w*|седан|внедорожник\w*|кроссовер\w*|универсал|хэтчбек|хетчбек|минивэн|car|vehicle|suv|truck|hatchback|sedan|wagon)\b"
_PART = (
    r"\b(?:диск[иа]|дисков|литье|колес[ао]?|колеса|резин[ауы]|шин[ыа]?|покрыш\w+|двигател[ья]|мотор|двс|коробк[ауи]|акпп|мкпп|кпп|бампер\w*|фар[ыау]|фонар\w*|капот|крыл[оь]\w*|двер[ьи]|стекл\w+|зеркал[оа]"
    r"|радиатор\w*|генератор\w*|стартер\w*|турбин\w*|магнитол[ауы]|сабвуфер\w*|усилител\w*|сигнализаци\w*|чехл\w*|коврик\w*|аккумулятор\w*|акб|запчаст\w*|зап\.? ?части|автозапчаст\w*|автостекл\w*|подвеск[ауи]|амортизатор\w*|рычаг\w*"
    r"|рул[ья]|сидень[яе]|салон в сборе|кузов\w*|багажник на крышу|фаркоп|домкрат|видеорегистратор\w*|регистратор|навигатор|ковры|масл[оа]|фильтр\w*|колодк\w*|\d{3}\s?/\s?\d{2}\s?[/ ]?\s?z?r?\s?\d{2}|michelin|bridgestone|nokian|pirelli|goodyear|yokohama|hankook|bilstein|recaro|номера|госномер\w*|гос\.? ?номер\w*"
    r"|wheels?|rims?|tires?|tyres?|engine|gearbox|transmission|bumpers?|headlights?|hood|bonnet|doors|seats|parts|spares|alloys?|battery|exhaust|turbo(?:charger)?|roof rack|floor mats|dash ?cam|stereo|keys?)\b"
)
_OTHER = (
    r"\b(?:мотоцикл\w*|мото|мопед\w*|скутер\w*|питбайк\w*|квадроцикл\w*|снегоход\w*|велосипед\w*|самокат\w*|гидроцикл\w*|лодк\w*|катер\w*|прицеп\w*|трактор\w*|экскаватор\w*|погрузчик\w*|фур[ауы]|тягач\w*|самосвал\w*|камаз\w*|автобус\w*"
    r"|гараж\w*|машиномест\w*|квартир\w*|дом|дач\w*|участок|участк\w*|земл\w+|комнат\w*|бизнес|шиномонтаж\w*|автомойк\w*|телефон\w*|айфон\w*|iphone\w*|ноутбук\w*|макбук|playstation|диван\w*|шкаф\w*|холодильник\w*|стиральн\w*|телевизор\w*"
    r"|щен\w+|котят\w*|котен\w*|собак\w*|коляск\w*|кроватк\w*|куртк\w*|шуб\w*|дрова|картошк\w*|мед|детск\w+ (?:электромобил\w*|машин\w+|коляск\w+|автокресл\w+)|автокресл\w+|модельк\w*|масштаб\w+ модел\w+|электросамокат\w*"
    r"|motorbikes?|motorcycles?|bikes?|bicycles?|scooters?|mopeds?|quads?|atvs?|boats?|jet ?skis?|trailers?|tractors?|excavators?|forklifts?|flats?|apartments?|houses?|garages? (?:for|to)|parking|laptops?|macbooks?|phones?|ps5|sofas?|puppies|puppy|kittens?"
    r"|toys?|diecast|hot wheels|lego|tickets?|курс\w*|франшиз\w*|harley|yamaha|kawasaki|ducati|ktm|вело\w*|ямаха|кавасаки|ява|урал мотоцикл|мтз|беларус-\d+)\b"
)
_OBJECTS = re.compile(f"(?P<car>{_OBJECT_CAR})|(?P<part>{_PART})|(?P<other>{_OTHER})")
# What makes a post something else, whatever cars it names. Where it must stand: "start" means its first lines.
_AGAINST: list[tuple[str, str, re.Pattern[str]]] = [
    (reason, where, re.compile(pattern))
    for reason, where, pattern in [
        ("wanted", "start", r"\b(?:куплю|купим|ищу(?! нов\w+ (?:хозяин|владел))|приобрету|возьму (?:в руки|авто|машину|до)|выкуп\w*|скупк\w*|скупа\w+|присматрива\w+|подыскива\w+|хочу (?:купить|взять|приобрести)|нужн\w+ (?:авто|машин|недорог)|шукаю|куплю авто"
         r"|wanted|wtb|want(?:ed)? to buy|looking (?:for|to buy)(?! an? (?:\w+ )?(?:home|owner|sale)|\s?(?:\$|£|€|\d|around|about|offers|best))|in search of|iso\b|we buy|i buy|buying|cash for (?:your )?(?:cars?|junk)|need a (?:car|cheap|reliable)|сатып аламын|алам)\b"),
        ("wanted", "any", r"\b(?:срочный выкуп|выкуп (?:авто|автомобил|машин|любых|битых|аварийн)\w*|автовыкуп|скупка авто|куплю (?:ваш|любо|авто|битый)\w*|купим (?:ваш|любо|авто)\w*|we buy (?:any|all|your|junk)|cash for (?:your )?(?:cars|junk))\b"),
        ("rental", "any", r"\b(?:в аренду|аренд[ауы] (?:авто|машин|без|от|под)|аренда\b|прокат\w*|сда(?:м|ю|ется|ем|ются)\b|посуточно|под выкуп|раскат|rent(?:al|als|ing)?\b|for hire|for rent|per day|/day|a day\b|\bhire\b|daily rate|lease takeover|чоловік)"),
        ("service", "any", r"(?:^|\n)\W*(?:\w+ый )?ремонт\b|\bпод ключ\b|\b(?:шиномонтаж\w*|автомойк\w*|химчистк\w*|эвакуатор\w*|грузоперевоз\w*|автоэлектрик\w*|автошкол\w*|ремонт (?:двигател|акпп|кпп|подвес|ходов|автомобил|авто|стекол|бампер|рулев|турбин|вмятин|кузов|любой)\w*|кузовн\w+ ремонт\w*|малярн\w+ работ\w*"
         r"|тонировк\w* (?:от|авто|стекол|по)|детейлинг\w* (?:центр|студ|от)|полировк\w* (?:от|кузова от|фар от)|чип-?тюнинг\w*|автоподбор\w*|подбор (?:авто|под ключ)\w*|выездн\w+ (?:диагностик|осмотр|шиномонтаж)\w*|пригон\w* (?:авто|из|под)|под заказ\b|авто из (?:японии|кореи|китая|сша|европы|оаэ|германии) под|привез[её]м (?:авто|любо|под)\w*"
         r"|замен\w+ масла (?:от|за|всего|бесплатно)|осаго (?:от|онлайн|за|без|и каско|дешево)|страхован\w+|техосмотр (?:за|без|онлайн)|запис(?:ь|ывайтесь|аться) (?:по|на|в|через)|запишитесь|наши услуги|услуг[иа]\b|сто\b[^\n]{0,30}(?:запись|предлаг|приглаш)|ключ\w* (?:изготовл|дубликат)|изготовлени\w+"
         r"|мы (?:предлагаем|делаем|ремонтируем|чиним|работаем)|автосервис\w* (?:на|предлаг|приглаш|в|\")|car ?wash|full detail|detailing (?:service|package|from|studio)|mobile mechanic|mechanic available|tow(?:ing)? (?:service|truck service)|oil changes? (?:from|only|\$)|book (?:now|online|your|a slot|today)|appointments?|window tint\w*|driving (?:school|lessons|instructor)|we (?:repair|fix|offer|service|import|ship)|our services)\b"),
        ("credit or insurance", "any", r"\b(?:займ\w*|микрозайм\w*|деньги под|под залог (?:птс|авто)\w*|кредит\w* (?:под|от|наличными|без отказа|на любые)|автокредит\w* (?:от|под|без|онлайн)|рефинансир\w*|одобрим|loans? (?:from|up to|approved)|bad credit|get approved|instant approval|payday|insurance quotes?)\b"),
        ("job", "any", r"\b(?:вакансия|ваканси\w*|требу(?:ется|ются)|приглашаем (?:на работу|водител)\w*|ищем (?:водител|сотрудник|мастер|механик|менеджер)\w*|зарплат\w*|з/п|график (?:работы|\d)|трудоустройств\w*|hiring|we are looking for|job|vacancy|salary|drivers? (?:wanted|needed)|apply now|full[- ]time|part[- ]time)\b"),
        ("parts", "any", r"\b(?:в разбор\w*|на разбор\w*|разбор(?:ка|ке|ку)?\b|разбира\w+|по запчастям|контрактн\w+ (?:двигател|мотор|акпп|запчаст|двс)\w*|запчасти (?:в наличии|на|для|б/у|новые|под)|автозапчаст\w*|parting out|part(?:s|ing)? only|breaking for|for parts only|dismantl\w+|spares (?:available|for)|oem parts|used parts|wrecking)\b"),
        ("spam", "any", r"\b(?:казино|casino|ставк\w+ на спорт|букмекер\w*|крипт\w*|crypto\w*|биткоин\w*|bitcoin|btc|usdt|nft|airdrop|заработ(?:ок|ай|ать|ком)\w*|пассивн\w+ доход|доход от|инвестици\w*|invest(?:ment)? (?:plan|now|platform)|forex|форекс|трейд\w+|trading signals|промокод\w*|promo ?code|розыгрыш\w*|разыгрыва\w+|giveaway|раздача|раздаем|выигра\w+|прибыл\w+|profit|18\+|знакомств\w*|free spins|jackpot|джекпот|слот[ыаов]+\b|млм|сетев\w+ маркетинг|похуде\w+|diet)\b"),
        ("news", "any", r"\b(?:гибдд|гаи\b|госдум\w*|правительств\w*|минпромторг\w*|министр\w*|минтранс\w*|законопроект\w*|штраф\w* (?:за|вырас|увелич)|росстат\w*|автостат\w*|аналитик\w*|эксперт\w* (?:отмет|счита|прогноз|назвал|рассказ)\w*|автоваз (?:объявил|представил|начал|сообщил|планирует|повысил|запустил|приостанов|возобнов)\w*|представил[аи]? (?:нов|обновл|перв|сво)\w*|анонсировал\w*|презентовал\w*|премьер[аы]\b|дебютир\w*|отзыва\w+ (?:\w+ )?(?:автомоб|машин|тысяч|\d)\w*|отзовут|отзывн\w+ кампани\w*"
         r"|продажи (?:\w+ ){0,4}(?:вырос|упал|снизил|увелич|в росс|новых)\w*|рынок (?:\w+ ){0,3}(?:вырос|упал|просел)\w*|утильсбор\w* (?:вырас|повыс|с \d)|водител\w+ (?:не справ|погиб|сбил|скрыл|вылетел|задержа)\w*|произошло дтп|в дтп (?:погиб|пострад)\w*|столкн\w+|по данным|сообща\w+|как сообщ\w*|стартовал[аи]? (?:производств|продаж|сборк)\w*|начал[аи]?с[ья]? (?:производств|продаж|сборк)\w*"
         r"|unveil\w*|announc\w+|recall\w*|according to|reported?ly|analysts?|sales (?:rose|fell|jumped|dropped|were up|surged)|concept car|press release|ceo|will be (?:unveiled|launched|available)|launch(?:es|ed) (?:the|its|a new)|police said|crash(?:ed)? (?:on|into)|government|euro ncap|regulators?|test drive review)\b"),
        ("joke or talk", "any", r"\b(?:отзыв (?:владельца|о|об)|честный отзыв|тест-?драйв\w*|обзор\w*|review|road test|мои впечатления|анекдот\w*|шутк\w*|прикол\w*|мем\w*|когда (?:ты|твой|твоя|купил|жена)|приходит мужик|встречаются два|гаишник\w*|муж(?:у|чина)? говорит|жена говорит|сын спрашивает|штирлиц\w*|вовочк\w*|joke|lol\b|walks into|knock knock|why (?:did|do|does) (?:the|a|my)|доброе утро|с днем рождения|с праздник\w*|поздравля\w+|happy (?:birthday|new year|friday)|good morning|опрос\b|голосу\w+|викторин\w*|как думаете|а вы как|что думаете|ваше мнение|делитесь|угадай\w*)\b"),
        ("question", "any", r"\b(?:подскажите|посоветуйте|кто (?:знает|сталкивался|ездил|подскажет|может)|помогите (?:выбрать|найти|разобраться)|что лучше|какую (?:машину|модель) (?:лучше|взять|выбрать|купить)|стоит ли (?:брать|покупать)|нормальн\w+ ли цена|any(?:one|body) (?:know|recommend|had|have|else|got)|which (?:one|car|is better)|what do you (?:think|guys)|is it worth|should i (?:buy|get|go)|recommend\w*|advice|how much (?:is|would|does|should)|сколько (?:сейчас )?(?:стоит|может стоить|дадут))\b"),
        ("sold already", "any", r"(?:^|[^а-я])(?<!не )(?<!не был )(?<!пока не )(?<!ещё не )(?<!еще не )(?:продан[ао]?|продано|продалась|продался|снят[аоы]? с продажи|больше не (?:продается|актуально)|не ?актуальн\w+|ушла|ушел (?:в|к|новому)|нашл?а? нового (?:хозяина|владельца)|забронирован\w*)(?:[^а-я]|$)"),
        ("sold already", "any", r"(?<!to be )(?<!being )(?<!will be )(?<!be )(?<!is )(?<!not )(?<!until )\b(?:sold(?! (?:as|with|by|on behalf|separately|due|because|new|for spares|without|privately))|no longer (?:available|for sale)|deal (?:is )?closed|sale pending)\b"),
    ]
]  # fmt: skip
_DETAILS = re.compile(
    r"\b(?:кузов\w*|двигател\w*|коробк\w*|автомат|механик\w*|акпп|мкпп|вариатор|привод|не ?бит\w*|не ?краш\w*|хозя\w+|владел\w+|собственник\w*|птс|стс|vin|вин|комплектаци\w*|торг\w*|обмен\w*|состояни\w*|пробег\w*|пробиг\w*|цвет|салон|литр\w*|л\.с|бензин|дизель|гбо|седан|хэтчбек|универсал"
    r"|год[ау]?|г\.в|owners?|clean title|fsh|mot|mileage|miles|automatic|manual|engine|condition|negotiable|obo|ono|service history|leather|sunroof|awd|4wd|rust|title|accident\w*|petrol|diesel|hybrid)\b"
)


@dataclass(frozen=True)
class Verdict:
    """The decision and a short reason."""

    is_sale: bool
    reason: str


def classify(raw: str) -> Verdict:
    """Whether the post offers a particular car for sale."""
    text, cars, reading = read(raw)
    if not re.search(r"\w{2}", text.low):
        return Verdict(False, "there is no text")
    sells = _SELLS.search(text.low)
    evidence = _evidence(text, cars, reading, sells is not None)
    against = _against(text)
    thing = _thing_on_offer(text, cars, sells)
    if thing in ("part", "other"):
        return Verdict(False, "something else than a whole car is on offer")
    if "sold already" in against:
        return Verdict(False, "sold already")
    known = sum(value is not None for value in (reading.year, reading.mileage_km, reading.price))
    contact = bool(reading.phones or reading.telegram)
    begins_so = re.match(r"\W*(?:\w+(?:ый|ая|ое) )?(?:ремонт|диагностика|замена|покраска|установка|чистка|мойка|прокат|аренда)\b", text.low)
    if begins_so:
        return Verdict(False, f"a service: {begins_so[0].strip()}")
    strong = evidence >= ENOUGH + 2 and bool(sells or contact) and reading.make is not None and known >= 2
    for reason in against:
        if reason == "wanted" and not (strong and sells and _first(text, sells)):
            return Verdict(False, "wanted, not offered")
        if not (strong and reason in ("service", "credit or insurance", "joke or talk", "news", "question", "spam") and against.count(reason) < 2):
            return Verdict(False, f"it is about something else: {reason}")
    if sells is None and not (reading.price is not None and (contact or known >= 2)) and not (contact and known >= 2):
        return Verdict(False, "nobody says that it is for sale")
    if sells is None and "?" in text.low and not contact:
        return Verdict(False, "a question")
    if evidence < ENOUGH or (reading.make is None and evidence < ENOUGH + 2):
        return Verdict(False, "too little speaks for a car on offer")
    name = " ".join(filter(None, (reading.make, reading.model))) or "a car"
    return Verdict(True, f"offers {name}")


def _evidence(text: Text, cars: list[Mention], reading: Reading, sells: bool) -> float:
    points = 0.0
    points += 3 if reading.model else 2 if reading.make else 0
    points += 3 if sells else 0
    points += 1 if reading.year else 0
    points += 2 if reading.mileage_km is not None else 0
    points += 2 if reading.price is not None else 0
    points += 1 if reading.phones or reading.telegram else 0
    points += 1 if re.search(_OBJECT_CAR, text.low) else 0
    points += min(2.0, 0.5 * len({match[0] for match in _DETAILS.finditer(text.low)}))
    return points


def _against(text: Text) -> list[str]:
    start = text.low[:160]
    found = []
    for reason, where, pattern in _AGAINST:
        found += [reason] * len({match[0] for match in pattern.finditer(start if where == "start" else text.low)})
    return found


def _first(text: Text, sells: re.Match[str]) -> bool:
    """Whether the offer stands before anything that is wanted ("продам … куплю другую")."""
    wanted = next((m.start() for reason, _, p in _AGAINST if reason == "wanted" and (m := p.search(text.low))), len(text.low))
    return sells.start() < wanted


def _thing_on_offer(text: Text, cars: list[Mention], sells: re.Match[str] | None) -> str | None:
    """What stands first where the goods are named: after the verb, else at the start of the post."""
    starts = [sells.end()] if sells else []
    if sells and any(sells.start() - 80 <= c.start < sells.start() for c in cars if text.line_end(c.start) >= sells.start()):
        return None if _followed_by_part(text, cars[0]) is None else "part"
    for start in [*starts, 0]:
        end = min(len(text.low), start + 70)
        car = next((c.start for c in cars if start <= c.start < end), None)
        thing = _OBJECTS.search(text.low, start, end)
        if thing is None or (car is not None and car <= thing.start()):
            if car is not None:
                return _followed_by_part(text, next(c for c in cars if c.start == car)) or "car"
            continue
        return thing.lastgroup
    return None


def _followed_by_part(text: Text, car: Mention) -> str | None:
    """"BMW N47 engine", "Camry 50 фара левая": the car only says what the part fits."""
    after = text.after(car.end, 50)
    match = re.match(rf"[\s,:\-]*(?:[\w.\-]+ ){{0,2}}?(?:{_PART})", after)
    return "part" if match and not re.search(r"\b(?:19|20)\d\d\b|\d{3} ?(?:км|km|mi)|,", match[0]) else None
