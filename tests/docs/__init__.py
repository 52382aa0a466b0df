"""Tests of README and docs: what a page shows is what the program does.

A page is plain Markdown. An HTML comment on the line above a code block says how the block is tested:

    <!-- run: DIR -->          console: its commands run in the folder DIR of the page, and print what follows them
    <!-- start: DIR -->        sh: this emulator runs for the rest of the page; the page's port means its own
    <!-- file: DIR/PATH -->    the block is written to this file before the blocks after it run
    <!-- inside: clips.hero -->  YAML: the block is the value of this key in a small project
    <!-- workflow -->          YAML of another program: it is only parsed

A folder with the name of an example begins as its copy; any other one begins with the pictures of `quickstart`. The
blocks of a page run from top to bottom. `$ echo $?` shows the exit code of the command before it; a command that does
not exit 0 needs it.

    <!-- generated: NAME -->  …  <!-- end -->   the text between is made by `generate.PARTS[NAME]`

`pytest tests/docs --update` rewrites outputs and generated text; the difference is reviewed like code.
"""
