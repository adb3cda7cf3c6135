from headrace_testkit import LibraryPackageContract


class TestPackage(LibraryPackageContract):
    distribution = "headrace-plugin-aws"
    package = "headrace_aws"
