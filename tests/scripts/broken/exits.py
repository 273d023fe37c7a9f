"""An exit at import."""

import sys

sys.exit("no settings today")
