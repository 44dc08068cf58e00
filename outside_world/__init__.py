"""Stand-ins for OpenAI, Telegram and Google Sheets over real HTTP, so that the real client libraries need no keys.

All state is in memory and has an upper bound. A restart forgets it. Nothing here imports the rest of the project.
"""
