"""Runs that break off in n8n: each is kept, and one that breaks every minute is one open entry."""

from __future__ import annotations

import json

from kette.use_cases.people import Decision, resolve_exception
from kette.use_cases.ports import ExceptionRow
from support.service_box import ServiceBox
from support.threads import at_once
