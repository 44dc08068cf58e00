"""What antipatterns and labs are run on: brokers of their own, processes that can be killed, and a record of it all."""
