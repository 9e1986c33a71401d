"""What a history measures: how many were answered how fast, and how long it takes after a fault."""
import collections
import statistics

# a rate counts as regained when so much of that of the requests is there for so long
WINDOW_S = 5
REGAINED = 0.8


class Answers:
    """The terminal events of a history as a reader got them."""

    def __init__(self, history):
        self.at = sorted(each["at"] for each in history.seen)
        self.sent = {request: each["at"] for request, each in history.sent.items()}
        self.of = sorted((each["at"], self.sent[each["request"]]) for each in history.seen
                         if each["request"] in self.sent)
        begin, self.last = min(self.sent.values(), default=0), max(self.sent.values(), default=0)
        self.usual = len(self.sent) / (self.last - begin) if self.last > begin else None

    def rate(self, begin, end):
        return sum(begin <= each < end for each in self.at) / (end - begin)

    def next_answer_s(self, end):
        """From the end of a fault to the next answer to a request that was in hand then; None without."""
        return next((at - end for at, sent in self.of if at >= end >= sent), None)

    def in_hand_s(self, end):
        """From the end of a fault until all is answered that was in hand then; None without."""
        return max((at - end for at, sent in self.of if at >= end >= sent), default=None)

    def regained_s(self, end):
        """From the end of a fault to the first window with as many answers as requests; None without."""
        if self.usual is None:
            return None
        for start in [end, *(each for each in self.at if each > end)]:
            if start + WINDOW_S > self.last:
                return None
            if self.rate(start, start + WINDOW_S) >= REGAINED * self.usual:
                return start - end
        return None


def _seconds(values):
    """Median and longest; those that never came are left out."""
    values = [each for each in values if each is not None]
    return f"{statistics.median(values):.1f} ({max(values):.1f})" if values else "–"


def summary(history, n_opened):
    answers = Answers(history)
    kinds = collections.Counter(event.kind for events in history.terminal.values() for event in events)
    partial = sum(each.own["coverage"] == "partial" for each in history.completed())
    aborted = sum(not each["committed"] for each in history.messages["events"])
    parked = sum(each["committed"] for what, lines in history.messages.items() if what.startswith("retry")
                 for each in lines)
    took = sorted(at - sent for at, sent in answers.of)
    named = {receipt["bundle"] for _, receipt in history.receipts()}
    orphans = sum(name not in named for name in history.bundles().values())
    lines = [
        f"{len(history.sent)} requests in {sum(history.received().values())} messages, "
        f"{len(history.cancelled())} cancels; " + ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
        + f", {partial} of them partial; "
        f"{sum(map(len, history.repeated.values()))} repeated, {parked} parked",
        f"{n_opened} bundles opened; {orphans} of attempts that died; {aborted} events in aborted transactions; "
        f"{sum(not each['told'] and each['status'] == 3 for each in history.exits)} workers ended by themselves",
    ]
    if took:
        lines.append(f"{answers.usual or 0:.1f} requests a second, answered within "
                     f"{statistics.median(took):.1f} s (median), {took[-1]:.1f} s (longest)")
    return "\n".join(lines)


def table(history):
    """Markdown: a line for each kind of fault."""
    answers, by_kind = Answers(history), collections.defaultdict(list)
    for each in history.faults:
        by_kind[each["kind"] + ("" if each["done"] else " (not possible here)")].append(each)
    lines = ["", "| fault | times | answers a second meanwhile | next answer | all in hand answered | rate regained |",
             "|---|---|---|---|---|---|"]
    for kind, faults in sorted(by_kind.items()):
        rate = statistics.median(answers.rate(each["begin"], each["end"]) for each in faults)
        after = [_seconds([measure(each["end"]) for each in faults])
                 for measure in (answers.next_answer_s, answers.in_hand_s, answers.regained_s)]
        lines.append(f"| {kind} | {len(faults)} | {rate:.1f} | {' | '.join(after)} |")
    return "\n".join([*lines, "", "Seconds after the end of a fault: median (longest)."])
