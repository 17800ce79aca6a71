from restmon.errors import NotFound


def compare(a, b):
    raise NotFound("x")
