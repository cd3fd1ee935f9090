"""Hutch: at equal compute, where should capability come from?"""

__version__ = "0.1.0"
