"""Antipatterns: twenty ways to get background jobs wrong. Each broken example has a twin that holds.

One folder:

    ap03_exactly_once/
      broken.py        the mistake; its line is marked `# antipattern: …`
      fixed.py         the same program, except for a few lines
      experiment.py    the steps for both, the counts, and the condition for a failure
      test_ap03.py     checks that broken fails for the stated reason, and that fixed does not fail
      README.md        symptom, cause, a real run, the fix, the same by hand, common wrong advice
"""
