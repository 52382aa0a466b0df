"""Commands at random: a state machine whose model is the vendor's ledger and the consents that the user gave."""
