"""`python -m headrace_cli` is `flow`, for where the script is not on the path."""

from .main import main

if __name__ == "__main__":
    main()
