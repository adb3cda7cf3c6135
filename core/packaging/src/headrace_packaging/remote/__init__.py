"""A task on a machine that has nothing but an image and the environment slots: fetch, supervise, record, report. Knows no graph beyond its step."""
