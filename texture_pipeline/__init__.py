"""The whole pipeline: run the stages of one sound in order, and make a page of the results.

stages: which command reads which config. run: runs them as commands. page, truth: what the page
shows. schemas: JSON Schemas for editors. doctor: checks everything before a run. config_reference,
command_reference: pages of the documentation.
"""
