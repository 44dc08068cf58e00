"""Lab 3, Confirms."""

from tests.labs.wrong import Wrong

REFUSED, RETURNED = "It counts as accepted what the broker refused", "It counts as accepted what reached no queue"
TRANSIENT = "A restart of the broker would lose them"
STARTERS = dict.fromkeys(("celery", "raw"), REFUSED)
WRONG = [
    Wrong("mandatory without confirms", "celery", REFUSED, {'{"confirm_publish": True}': "{}"}),
    Wrong("confirms without mandatory", "celery", RETURNED, {"mandatory=True, ": ""}),
    Wrong(
        "an error is no reason", "celery", REFUSED,
        {"            continue\n": "            pass\n"},
    ),
    Wrong("transient", "celery", TRANSIENT, {"retry=False": "retry=False, delivery_mode=1"}),
    Wrong(
        "give up with the first refusal", "celery", "It does not count what the broker has taken",
        {"            continue\n": "            return []\n"},
    ),
    Wrong("mandatory without confirms", "raw", REFUSED, {"        channel.confirm_delivery()\n": ""}),
    Wrong("confirms without mandatory", "raw", RETURNED, {", mandatory=True": ""}),
    Wrong("an error is no reason", "raw", REFUSED, {"                continue\n": "                pass\n"}),
    Wrong("transient", "raw", TRANSIENT, {", delivery_mode=2": ""}),
]  # fmt: skip
