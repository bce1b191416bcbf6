"""The stack beside what a person would write instead, and what importing it costs."""
