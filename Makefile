# One line a chore; ./kit does the work and ./kit --help says more.
.PHONY: demo up down status logs doctor antipatterns golden-rules test test-all test-contract test-browser test-faults test-labs soak lint audit bench locust \
        compile-requirements \
        run-celery-worker run-celery-beat celery-status celery-stats

demo: ; @./kit demo
up: ; @./kit up
down: ; @./kit down
status: ; @./kit status
logs: ; @./kit logs -f
doctor: ; @./kit doctor

test: ; @./kit test
test-all: ; @./kit test tests -n 4
test-contract: ; @./kit test tests/contract
test-browser: ; @./kit test tests/browser
test-faults: ; @./kit test-faults
test-labs: ; @./kit test tests/labs tests/unit/labs/test_labs.py -n 4
soak: ; @./kit test tests/faults/test_soak.py --faults soak -s
lint: ; @./kit lint
audit: ; @./kit audit
bench: ; @./kit bench
antipatterns: ; @./kit antipatterns
golden-rules: ; @./kit golden-rules
locust: ; @./kit locust
compile-requirements: ; @./kit compile-requirements

# A worker, a Beat, and questions to the workers, in this terminal; the kit's own run under supervisor (./kit up).
run-celery-worker: ; @./kit exec celery -A celery_app worker -l info -c 4
run-celery-beat: ; @./kit exec celery -A celery_app beat -l info
celery-status: ; @./kit exec celery -A celery_app inspect active
celery-stats: ; @./kit exec celery -A celery_app inspect stats
