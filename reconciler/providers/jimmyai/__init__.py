"""Kind `jimmyai`."""
