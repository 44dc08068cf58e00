"""Twenty ways to get background jobs wrong: each broken before your eyes, each beside a twin that holds.

ap03_exactly_once/
  broken.py        the mistake, its line marked `# antipattern: …`
  fixed.py         the same but for a few lines
  experiment.py    what both go through, what is counted, and when the failure has shown
  test_ap03.py     holds broken to failing for the reason it says, and fixed to not failing
  README.md        what it looks like, why it fails, see it fail, the fix, the same by hand, the folklore
"""
