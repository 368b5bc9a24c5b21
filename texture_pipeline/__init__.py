"""The whole way: run the stages of one sound in order, and make a page of what they made.

stages: which command reads which config. run: run them as commands. page, truth: what is shown.
schemas: for editors. doctor: looks at all of it before. config_reference, command_reference: pages
of the documentation.
"""
