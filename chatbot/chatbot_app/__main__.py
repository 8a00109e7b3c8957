"""`python -m chatbot_app`."""

import sys

from chatbot_app.app import main

sys.exit(main())
