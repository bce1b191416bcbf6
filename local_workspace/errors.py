"""The errors that end a local run with one sentence instead of a traceback."""


class LocalWorkspaceError(Exception):
    """Something that the person at the keyboard can put right; its text is all that they are shown."""


class BundleError(LocalWorkspaceError):
    """The bundle's files can't be read, merged or resolved."""


class RunError(LocalWorkspaceError):
    """A job can't be started as asked: an unknown job, parameter or notebook, a broken graph."""
