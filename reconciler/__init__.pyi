from reconciler.api.offer import Offer as Offer
from reconciler.api.offer import read_plan as read_plan
from reconciler.api.program import Program as Program
from reconciler.api.program import Validated as Validated
from reconciler.api.program import open as open
from reconciler.diagnostics import ClipformError as ClipformError
from reconciler.diagnostics import Diagnostic as Diagnostic
from reconciler.diagnostics import Refused as Refused
from reconciler.diagnostics import Source as Source
from reconciler.diagnostics import SpecError as SpecError
from reconciler.diagnostics import StateLocked as StateLocked
from reconciler.events import Event as Event
from reconciler.events import EventKind as EventKind
from reconciler.events import Summary as Summary
from reconciler.identity import Subject as Subject
from reconciler.identity import identify as identify
from reconciler.plan.model import Plan as Plan
from reconciler.plan.model import Step as Step
from reconciler.project.model import Choice as Choice
from reconciler.project.model import Planned as Planned
from reconciler.project.saved_plan import SavedPlan as SavedPlan
from reconciler.providers.base import Dialect as Dialect
from reconciler.providers.base import Job as Job
from reconciler.providers.base import Model as Model
from reconciler.providers.base import Reply as Reply
from reconciler.providers.base import Request as Request
from reconciler.records import Attempt as Attempt
from reconciler.records import State as State

__version__: str
DISTRIBUTION: str
