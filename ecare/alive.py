"""`python -m ecare.alive`: does the web process of this machine say that it is ready? For the health check of a
container, whose own address is no host of the portal."""

import os
import sys
from http.client import HTTPConnection


def main() -> int:
    host = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0]
    web = HTTPConnection("127.0.0.1", int(os.environ.get("PORT") or 8000), timeout=5)
    try:
        web.request("GET", "/sante/", headers={"Host": host})
        return int(web.getresponse().status != 200)
    except OSError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
