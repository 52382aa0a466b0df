"""One generation, from its record to a stored video.

    next_step    what the record asks for next (pure)
    runner       look at the record, do one thing, look again
    submit       one durable intent, one request, one record of the answer
    look_up      an uncertain request, looked up while the run goes on
    download     from a link to an artifact in the store
    check_video  is it a sound video, and the one that was asked for
    job          from an order to what a dialect translates (pure)
    context      what the steps of one generation share

What may not be done here: deciding which clips are made, and sending a submit anywhere but in `submit`.
"""
