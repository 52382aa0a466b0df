"""The installed program against the emulator in a process of its own, over real HTTP: nothing here is a fake.

The judge is the vendor's ledger (`GET /ledger`): what was bought, told by the one who would send the bill. One emulator
serves many tests; each test has an account of its own, by which its entries are told apart.
"""
