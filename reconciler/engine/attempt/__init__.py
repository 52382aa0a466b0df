"""One generation, from its record to a stored video.

    next_step    what the record asks for next (pure)
    runner       look at the record, take one step, look again
    submit       one durable intent, one request, one record of the answer
    look_up      look up an uncertain request while the run goes on
    download     download a result into the store
    check_video  check that a file is a sound video, and the one that was asked for
    job          build the job that a dialect translates (pure)
    context      the state that the steps of one generation share

Not allowed here: deciding which clips are made, and sending a submit anywhere but in `submit`.
"""
