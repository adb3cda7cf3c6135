"""The pytest plugin of the test kit: fixtures that every conformance class shares."""
