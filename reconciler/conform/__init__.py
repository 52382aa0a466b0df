"""The contract of a provider kind: what every dialect must do so that a clip is paid for once and nothing is lost.

Our own dialects' tests and `clipform conform` run the same rules. An author of a plug-in uses two names:

    CONTRACT = Contract("lumen", Path(__file__).parent)         # by the entry-point group `clipform.contracts`

    @pytest.mark.parametrize("case", cases("lumen"), ids=str)
    def test_lumen_keeps_the_contract(case: Case) -> None:
        case.check()

Nothing here is imported by other commands, and a rule never spends: it reads recorded replies, or talks to a vendor on
loopback.
"""

from reconciler.conform.contract import Contract as Contract
from reconciler.conform.contract import ContractBroken as ContractBroken
from reconciler.conform.rule import Case as Case
from reconciler.conform.suite import cases as cases
