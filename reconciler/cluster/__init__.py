"""Workers: processes that carry out what applies have handed over, on any number of machines.

Here is the queue that shares keys out among them, and nothing that decides about money: that is in the attempts, their
leases and fences (`state.leases`). A queue that loses a key, or gives it to two workers, costs time only.

Not allowed here: reading a project's clips, placing outputs, and sending what no order asks for.
"""
