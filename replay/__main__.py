"""`python -m replay`."""

import os

from local_workspace.environment import clean_environment

if __name__ == "__main__":
    try:
        clean_environment()
        from replay.cli import main

        main()
    except KeyboardInterrupt:
        # While it is imported; later ones are told in a sentence.
        os._exit(130)
