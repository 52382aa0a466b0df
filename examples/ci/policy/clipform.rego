# Rules on a plan for Open Policy Agent, as conftest runs them:
#
#     clipform --json plan > plan.json
#     conftest test --policy examples/ci/policy plan.json
#
# `input` is the document of `clipform --json plan`; docs/reference/plan.schema.json describes it. Amounts are texts.
package main

import rego.v1

most := 20.00

trial_clips := {"trailer", "teaser"}

paid contains action if {
	some action in input.actions
	action.action in {"create", "replace"}
	to_number(action.cost.amount) > 0
}

deny contains msg if {
	to_number(input.cost.amount) > most
	msg := sprintf("the plan costs %s, the limit is %v", [input.cost.amount, most])
}

deny contains msg if {
	input.cost.unpriced > 0
	msg := sprintf("%d clips have no known price", [input.cost.unpriced])
}

deny contains msg if {
	some action in paid
	action.clip in trial_clips
	action.makes.resolution == "1080p"
	msg := sprintf("%s is a trial: 720p is enough", [action.clip])
}

deny contains msg if {
	input.summary.remove > 0
	msg := "outputs are removed by hand only"
}

warn contains msg if {
	some cascade in input.cascades
	count(cascade.clips) > 3
	msg := sprintf("%d clips follow %s: %s", [count(cascade.clips), cascade.cause, cascade.cost.amount])
}

warn contains msg if {
	some diagnostic in input.diagnostics
	diagnostic.code == "over-budget"
	msg := diagnostic.message
}
