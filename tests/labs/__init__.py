"""The authors' check of the labs: starters fail for their lab's reason, solutions pass, typical mistakes are named."""
