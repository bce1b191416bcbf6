"""`python -m local_workspace`: see `make help`."""

from local_workspace.cli import main

if __name__ == "__main__":
    main()
