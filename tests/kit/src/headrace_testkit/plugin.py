"""The pytest plugin of the test kit. It adds nothing; because it is one, pytest explains the failed assertions of the conformance classes."""
