"""`python -m chatbot_app`."""

import sys

from chatbot_app.command import main

sys.exit(main())
