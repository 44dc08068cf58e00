"""Several Beats."""
