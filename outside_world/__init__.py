"""Stand-ins for OpenAI, Telegram and Google Sheets over real HTTP, so that the real client libraries need no keys.

Everything is kept in memory and bounded; a restart forgets it. Nothing here imports the rest of the project.
"""
