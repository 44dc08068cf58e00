"""What students typically do instead: for each lab, changes to its solution, and the mistake that its check names."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wrong:
    """A solution made wrong.

    Args:
        name: what somebody thought.
        lane: whose solution.
        mistake: what the check must call it.
        change: in the solution, each of these texts is replaced; it must be there.
    """

    name: str
    lane: str
    mistake: str
    change: dict[str, str]

    def made_from(self, solution: str) -> str:
        """The wrong program."""
        for old, new in self.change.items():
            assert solution.count(old) == 1, f"{old!r} is {solution.count(old)} times in the solution"
            solution = solution.replace(old, new)
        return solution
