"""Kind `fal`: the queue at queue.fal.run, with the video models of many owners."""
