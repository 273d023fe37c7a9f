"""A library that is one module."""


def word():
    return "one"
