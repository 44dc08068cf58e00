"""Picture of a comparison: a bar for each attempt, a row for each worker, and the flow of each lane. For drawing only.

All times are in seconds since the start of the comparison.
"""

from typing import Any

from cars_bot.comparisons.record import Record


def picture(record: Record) -> dict[str, Any]:
    """Return the picture, ready for JSON.

    Its keys are seconds (the length), workers (lane, name), runs (id, job, lane, state), bars, marks and flow. The flow
    has the times of each lane under accepted, started and ended.

    A bar is [worker, run, attempt, begin, end or None, outcome]. Its worker and its run are places in the lists.
    """
    about = record.comparison
    start, lanes = about["started_at"], about["request"]["lanes"]
    order = {lane: place for place, lane in enumerate(lanes)}
    names = sorted({(attempt.lane, attempt.worker) for attempt in record.attempts}, key=lambda w: (order[w[0]], w[1]))
    worker = {each: place for place, each in enumerate(names)}
    run = {each["id"]: place for place, each in enumerate(record.runs)}

    def since(at: float | None) -> float | None:
        return None if at is None else round(at - start, 4)

    flow: dict[str, dict[str, list[Any]]] = {lane: {"accepted": [], "started": [], "ended": []} for lane in lanes}
    for each in record.runs:
        for kind, column in (("accepted", "accepted_at"), ("started", "started_at"), ("ended", "finished_at")):
            if each[column] is not None:
                flow[each["lane"]][kind].append(since(each[column]))
    return {
        "seconds": since(max([about["ended_at"], *(each.ended_at for each in record.attempts if each.ended_at)])),
        "workers": [{"lane": lane, "name": name} for lane, name in names],
        "runs": [{name: each[name] for name in ("id", "job", "lane", "state")} for each in record.runs],
        "bars": [
            [worker[each.lane, each.worker], run[each.run], each.number, since(each.started_at), since(each.ended_at),
             each.outcome]
            for each in record.attempts
        ],
        "marks": [{**mark, "at": since(mark["at"])} for mark in about["marks"]],
        "flow": {lane: {kind: sorted(times) for kind, times in kinds.items()} for lane, kinds in flow.items()},
    }  # fmt: skip
