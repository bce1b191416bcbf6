"""`python -m replay`."""

from local_workspace.environment import clean_environment

if __name__ == "__main__":
    clean_environment()
    from replay.cli import main

    main()
