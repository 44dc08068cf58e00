"""The ground of antipatterns and labs: servers of their own, processes to kill, and a record of all events."""
