"""What the run says with -e."""
import os

GREETING = os.environ.get("GREETING", "hello")
