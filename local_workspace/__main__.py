"""`python -m local_workspace`: see `make help`."""

import os

if __name__ == "__main__":
    try:
        from local_workspace.environment import clean_environment

        clean_environment()
        from local_workspace.cli import main

        main()
    except KeyboardInterrupt:
        # While it is imported; later ones are told in a sentence.
        os._exit(130)
